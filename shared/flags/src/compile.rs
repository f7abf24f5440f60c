//! From the JSON of a rule to a [`Rule`].

use std::collections::BTreeMap;

use serde_json::Value;

use crate::limits::MAX_RULE_DEPTH;
use crate::problem::{Place, Problems};
use crate::rule::{Operator, Rule};

/// A rule and what its bounds depend on.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) rule: Rule,
    /// Levels of the rule itself.
    pub(crate) depth: usize,
    /// The shared rules it names.
    pub(crate) references: Vec<Reference>,
}

/// A `$ref` in a rule.
#[derive(Debug)]
pub(crate) struct Reference {
    /// Place of the shared rule among the evaluators.
    pub(crate) target: usize,
    /// Level of the rule at which it is named.
    pub(crate) depth: usize,
    /// JSON pointer to the `$ref`.
    pub(crate) pointer: String,
}

/// Compiles one rule. `None` when it has problems, which are added to the list.
pub(crate) fn compile(
    json: &Value,
    place: &Place<'_>,
    evaluators: &BTreeMap<&str, usize>,
    problems: &mut Problems,
) -> Option<Compiled> {
    let mut compiler = Compiler {
        evaluators,
        problems,
        depth: 0,
        references: Vec::new(),
        sound: true,
    };
    let rule = compiler.rule(json, place, 1);
    compiler.sound.then_some(Compiled {
        rule,
        depth: compiler.depth,
        references: compiler.references,
    })
}

struct Compiler<'a> {
    evaluators: &'a BTreeMap<&'a str, usize>,
    problems: &'a mut Problems,
    depth: usize,
    references: Vec<Reference>,
    /// Whether the rule is without problems, the unreported ones included.
    sound: bool,
}

impl Compiler<'_> {
    fn rule(&mut self, json: &Value, place: &Place<'_>, level: usize) -> Rule {
        self.depth = self.depth.max(level);
        if level > MAX_RULE_DEPTH {
            return self.refuse(place, format!("is nested deeper than {MAX_RULE_DEPTH} levels"));
        }
        match json {
            Value::Array(items) => self.array(items, place, level),
            Value::Object(members) => {
                let mut members = members.iter();
                match (members.next(), members.next()) {
                    (None, _) => Rule::Literal(json.clone()),
                    (Some((name, arguments)), None) => self.operation(name, arguments, place, level),
                    (Some(_), Some(_)) => self.refuse(place, "an operation has exactly one member, its name"),
                }
            }
            _ => Rule::Literal(json.clone()),
        }
    }

    fn array(&mut self, items: &[Value], place: &Place<'_>, level: usize) -> Rule {
        let rules = self.rules(items, place, level);
        if rules.iter().all(|rule| matches!(rule, Rule::Literal(_))) {
            return Rule::Literal(Value::Array(items.to_vec()));
        }
        Rule::Array(rules)
    }

    fn rules(&mut self, items: &[Value], place: &Place<'_>, level: usize) -> Vec<Rule> {
        let items = items.iter().enumerate();
        items
            .map(|(index, item)| self.rule(item, &Place::Element(place, index), level + 1))
            .collect()
    }

    fn operation(&mut self, name: &str, arguments: &Value, place: &Place<'_>, level: usize) -> Rule {
        let inside = Place::Member(place, name);
        if name == "$ref" {
            return self.reference(arguments, &inside, level);
        }
        let Some(operator) = Operator::named(name) else {
            return self.refuse(&inside, "there is no operation of this name");
        };
        let arguments = match arguments {
            Value::Array(items) => self.rules(items, &inside, level),
            single => vec![self.rule(single, &inside, level + 1)],
        };
        Rule::Apply(operator, arguments)
    }

    fn reference(&mut self, name: &Value, place: &Place<'_>, level: usize) -> Rule {
        let Some(name) = name.as_str() else {
            return self.refuse(place, "must be the name of a rule in $evaluators");
        };
        let Some(&target) = self.evaluators.get(name) else {
            return self.refuse(place, "names no rule in $evaluators");
        };
        self.references.push(Reference {
            target,
            depth: level,
            pointer: place.pointer(),
        });
        Rule::Shared(target)
    }

    fn refuse(&mut self, place: &Place<'_>, detail: impl Into<String>) -> Rule {
        self.sound = false;
        self.problems.add(place, detail);
        Rule::Literal(Value::Null)
    }
}
