//! Compiles the JSON of a rule to a [`TargetingRule`].

use std::collections::BTreeMap;

use serde_json::Value;

use crate::limits::MAX_RULE_DEPTH;
use crate::problem::{DocumentPath, Problems};
use crate::rule::{RuleOperation, TargetingRule};

/// A compiled rule, with the values that are checked against the limits.
#[derive(Debug)]
pub(crate) struct CompiledRule {
    pub(crate) rule: TargetingRule,
    /// The number of levels, without the levels of shared rules.
    pub(crate) depth: usize,
    /// The shared rules that the rule refers to.
    pub(crate) references: Vec<SharedRuleReference>,
}

/// A `$ref` in a rule.
#[derive(Debug)]
pub(crate) struct SharedRuleReference {
    /// The index of the shared rule among the evaluators.
    pub(crate) target: usize,
    /// The level of the `$ref` in the rule.
    pub(crate) depth: usize,
    /// The JSON pointer to the `$ref`.
    pub(crate) pointer: String,
}

/// Compiles one rule. If the rule has problems, adds them to the list and returns `None`.
pub(crate) fn compile(
    json: &Value,
    path: &DocumentPath<'_>,
    evaluators: &BTreeMap<&str, usize>,
    problems: &mut Problems,
) -> Option<CompiledRule> {
    let mut compiler = RuleCompiler {
        evaluators,
        problems,
        depth: 0,
        references: Vec::new(),
        sound: true,
    };
    let rule = compiler.rule(json, path, 1);
    compiler.sound.then_some(CompiledRule {
        rule,
        depth: compiler.depth,
        references: compiler.references,
    })
}

struct RuleCompiler<'a> {
    evaluators: &'a BTreeMap<&'a str, usize>,
    problems: &'a mut Problems,
    depth: usize,
    references: Vec<SharedRuleReference>,
    /// Whether the rule has no problems. Problems beyond the limit of reported problems count, too.
    sound: bool,
}

impl RuleCompiler<'_> {
    fn rule(&mut self, json: &Value, path: &DocumentPath<'_>, level: usize) -> TargetingRule {
        self.depth = self.depth.max(level);
        if level > MAX_RULE_DEPTH {
            return self.refuse(path, format!("is nested deeper than {MAX_RULE_DEPTH} levels"));
        }
        match json {
            Value::Array(items) => self.array(items, path, level),
            Value::Object(members) => {
                let mut members = members.iter();
                match (members.next(), members.next()) {
                    (None, _) => TargetingRule::Literal(json.clone()),
                    (Some((name, arguments)), None) => self.operation(name, arguments, path, level),
                    (Some(_), Some(_)) => self.refuse(path, "an operation has exactly one member, its name"),
                }
            }
            _ => TargetingRule::Literal(json.clone()),
        }
    }

    fn array(&mut self, items: &[Value], path: &DocumentPath<'_>, level: usize) -> TargetingRule {
        let rules = self.rules(items, path, level);
        if rules.iter().all(|rule| matches!(rule, TargetingRule::Literal(_))) {
            return TargetingRule::Literal(Value::Array(items.to_vec()));
        }
        TargetingRule::Array(rules)
    }

    fn rules(&mut self, items: &[Value], path: &DocumentPath<'_>, level: usize) -> Vec<TargetingRule> {
        let items = items.iter().enumerate();
        items
            .map(|(index, item)| self.rule(item, &DocumentPath::Element(path, index), level + 1))
            .collect()
    }

    fn operation(
        &mut self,
        name: &str,
        arguments: &Value,
        path: &DocumentPath<'_>,
        level: usize,
    ) -> TargetingRule {
        let inside = DocumentPath::Member(path, name);
        if name == "$ref" {
            return self.reference(arguments, &inside, level);
        }
        let Some(operator) = RuleOperation::named(name) else {
            return self.refuse(&inside, "there is no operation of this name");
        };
        let arguments = match arguments {
            Value::Array(items) => self.rules(items, &inside, level),
            single => vec![self.rule(single, &inside, level + 1)],
        };
        TargetingRule::Apply(operator, arguments)
    }

    fn reference(&mut self, name: &Value, path: &DocumentPath<'_>, level: usize) -> TargetingRule {
        let Some(name) = name.as_str() else {
            return self.refuse(path, "must be the name of a rule in $evaluators");
        };
        let Some(&target) = self.evaluators.get(name) else {
            return self.refuse(path, "names no rule in $evaluators");
        };
        self.references.push(SharedRuleReference {
            target,
            depth: level,
            pointer: path.pointer(),
        });
        TargetingRule::Shared(target)
    }

    fn refuse(&mut self, path: &DocumentPath<'_>, detail: impl Into<String>) -> TargetingRule {
        self.sound = false;
        self.problems.add(path, detail);
        TargetingRule::Literal(Value::Null)
    }
}
