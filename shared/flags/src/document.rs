//! Reads and checks a flagd document.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::compile::{CompiledRule, compile};
use crate::evaluation::FlagType;
use crate::flag::{Flag, Targeting};
use crate::limits::{
    MAX_DOCUMENT_BYTES, MAX_EVALUATORS, MAX_FLAGS, MAX_KEY_BYTES, MAX_METADATA_MEMBERS, MAX_PROBLEMS,
    MAX_VARIANTS,
};
use crate::problem::{DocumentPath, FlagProblem, Problems};
use crate::references;
use crate::rule::TargetingRule;
use crate::set::FlagSet;

type JsonMembers = Map<String, Value>;

impl FlagSet {
    /// Parses a new flagd document. Fails if the document has any problem.
    ///
    /// # Errors
    /// The problems, at most [`MAX_PROBLEMS`](crate::limits::MAX_PROBLEMS).
    pub fn parse(json: &[u8]) -> Result<Self, Vec<FlagProblem>> {
        let ReadDocument {
            set,
            mut structure,
            targeting,
        } = read(json).map_err(|one| vec![one])?;
        structure.extend(targeting);
        structure.truncate(MAX_PROBLEMS);
        if structure.is_empty() {
            Ok(set)
        } else {
            Err(structure)
        }
    }

    /// Parses a flagd document that is in use. A flag with broken targeting stays in the set, and its evaluation returns
    /// [`ErrorCode::ParseError`](crate::ErrorCode::ParseError), as in flagd.
    ///
    /// # Errors
    /// The problems of the document and its flags, except those of targeting.
    pub fn parse_tolerant(json: &[u8]) -> Result<Self, Vec<FlagProblem>> {
        let ReadDocument { set, structure, .. } = read(json).map_err(|one| vec![one])?;
        if structure.is_empty() {
            Ok(set)
        } else {
            Err(structure)
        }
    }
}

/// The content of a document, and its problems.
struct ReadDocument {
    set: FlagSet,
    /// Problems of the document and its flags. A document with such a problem cannot be used.
    structure: Vec<FlagProblem>,
    /// Problems of targeting rules. Each problem affects only the flags that use the rule.
    targeting: Vec<FlagProblem>,
}

/// Reads a document.
///
/// # Errors
/// A problem that prevents reading: the document is too large, not JSON, or not an object.
fn read(json: &[u8]) -> Result<ReadDocument, FlagProblem> {
    let whole = |detail: String| FlagProblem {
        pointer: String::new(),
        detail,
    };
    if json.len() > MAX_DOCUMENT_BYTES {
        return Err(whole(format!(
            "a document has at most {MAX_DOCUMENT_BYTES} bytes"
        )));
    }
    let document: Value = serde_json::from_slice(json).map_err(|e| whole(format!("not JSON: {e}")))?;
    let Value::Object(document) = document else {
        return Err(whole("must be a JSON object".to_owned()));
    };
    let mut reader = DocumentReader::default();
    let set = reader.document(&document);
    Ok(ReadDocument {
        set,
        structure: reader.structure.into_vec(),
        targeting: reader.targeting.into_vec(),
    })
}

#[derive(Default)]
struct DocumentReader {
    structure: Problems,
    targeting: Problems,
}

/// The shared rules by name, and the depth of each (`None` for a broken rule).
struct Evaluators<'a> {
    names: BTreeMap<&'a str, usize>,
    depths: Vec<Option<usize>>,
}

impl DocumentReader {
    fn document(&mut self, document: &JsonMembers) -> FlagSet {
        let root = DocumentPath::Document;
        let metadata = self.metadata(document.get("metadata"), &DocumentPath::Member(&root, "metadata"));
        let (rules, evaluators) = self.evaluators(document, &root);
        let path = DocumentPath::Member(&root, "flags");
        let mut flags = BTreeMap::new();
        match document.get("flags") {
            None => self.structure.add(&root, "has no member `flags`"),
            Some(Value::Object(members)) if members.len() > MAX_FLAGS => {
                self.structure
                    .add(&path, format!("has more than {MAX_FLAGS} flags"));
            }
            Some(Value::Object(members)) => {
                for (key, flag) in members {
                    let path = DocumentPath::Member(&path, key);
                    self.name(key, &path);
                    if let Some(flag) = self.flag(flag, &path, &evaluators) {
                        flags.insert(key.clone(), flag);
                    }
                }
            }
            Some(_) => self
                .structure
                .add(&path, "must be an object of flags by their keys"),
        }
        FlagSet::new(flags, rules, metadata)
    }

    fn evaluators<'a>(
        &mut self,
        document: &'a JsonMembers,
        root: &DocumentPath<'_>,
    ) -> (Vec<TargetingRule>, Evaluators<'a>) {
        let path = DocumentPath::Member(root, "$evaluators");
        let empty = Evaluators {
            names: BTreeMap::new(),
            depths: Vec::new(),
        };
        let members = match document.get("$evaluators") {
            None => return (Vec::new(), empty),
            Some(Value::Object(members)) if members.len() <= MAX_EVALUATORS => members,
            Some(Value::Object(_)) => {
                self.structure
                    .add(&path, format!("has more than {MAX_EVALUATORS} rules"));
                return (Vec::new(), empty);
            }
            Some(_) => {
                self.structure
                    .add(&path, "must be an object of rules by their names");
                return (Vec::new(), empty);
            }
        };
        let names: BTreeMap<&str, usize> = members
            .keys()
            .enumerate()
            .map(|(index, name)| (name.as_str(), index))
            .collect();
        let mut compiled = Vec::with_capacity(members.len());
        for (name, json) in members {
            let path = DocumentPath::Member(&path, name);
            self.name(name, &path);
            compiled.push(compile(json, &path, &names, &mut self.targeting));
        }
        let depths = references::compute_depths(&compiled, &mut self.targeting);
        let rule = |compiled: Option<CompiledRule>| {
            compiled.map_or(TargetingRule::Literal(Value::Null), |it| it.rule)
        };
        (
            compiled.into_iter().map(rule).collect(),
            Evaluators { names, depths },
        )
    }

    fn flag(&mut self, json: &Value, path: &DocumentPath<'_>, evaluators: &Evaluators<'_>) -> Option<Flag> {
        let Value::Object(members) = json else {
            self.structure.add(path, "must be an object");
            return None;
        };
        let before = self.structure.len();
        let enabled = self.state(members.get("state"), &DocumentPath::Member(path, "state"));
        let variants = self.variants(members.get("variants"), &DocumentPath::Member(path, "variants"));
        let default = DocumentPath::Member(path, "defaultVariant");
        let default_variant =
            self.default_variant(members.get("defaultVariant"), variants.as_ref(), &default);
        let targeting = self.targeting(
            members.get("targeting"),
            &DocumentPath::Member(path, "targeting"),
            evaluators,
        );
        let metadata = self.metadata(members.get("metadata"), &DocumentPath::Member(path, "metadata"));
        let (variants, flag_type) = variants?;
        let sound = self.structure.len() == before;
        sound.then_some(Flag {
            enabled: enabled?,
            variants,
            flag_type,
            default_variant,
            targeting,
            metadata,
        })
    }

    fn name(&mut self, name: &str, path: &DocumentPath<'_>) {
        if name.is_empty() || name.len() > MAX_KEY_BYTES {
            self.structure
                .add(path, format!("a name has 1 to {MAX_KEY_BYTES} bytes"));
        }
    }

    fn state(&mut self, json: Option<&Value>, path: &DocumentPath<'_>) -> Option<bool> {
        match json.and_then(Value::as_str) {
            Some("ENABLED") => Some(true),
            Some("DISABLED") => Some(false),
            _ => {
                self.structure.add(path, "must be \"ENABLED\" or \"DISABLED\"");
                None
            }
        }
    }

    fn variants(
        &mut self,
        json: Option<&Value>,
        path: &DocumentPath<'_>,
    ) -> Option<(BTreeMap<String, Value>, FlagType)> {
        let Some(Value::Object(members)) = json else {
            self.structure
                .add(path, "must be an object of values by their names");
            return None;
        };
        let Some(first) = members.values().next() else {
            self.structure.add(path, "must have at least one variant");
            return None;
        };
        if members.len() > MAX_VARIANTS {
            self.structure
                .add(path, format!("has more than {MAX_VARIANTS} variants"));
            return None;
        }
        let wanted = FlagType::of(first);
        for (name, value) in members {
            let path = DocumentPath::Member(path, name);
            self.name(name, &path);
            match FlagType::of(value) {
                None => self
                    .structure
                    .add(&path, "must be a boolean, a string, a number or an object"),
                found if wanted.is_some() && found != wanted => {
                    self.structure
                        .add(&path, "is of another type than the variants before it");
                }
                Some(_) => {}
            }
        }
        let variants = members
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        Some((variants, wanted?))
    }

    fn default_variant(
        &mut self,
        json: Option<&Value>,
        variants: Option<&(BTreeMap<String, Value>, FlagType)>,
        path: &DocumentPath<'_>,
    ) -> Option<String> {
        match json {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) if name.is_empty() => None,
            Some(Value::String(name)) => {
                if variants.is_some_and(|(variants, _)| !variants.contains_key(name)) {
                    self.structure.add(path, "names no variant of this flag");
                }
                Some(name.clone())
            }
            Some(_) => {
                self.structure.add(path, "must be the name of a variant, or null");
                None
            }
        }
    }

    fn targeting(
        &mut self,
        json: Option<&Value>,
        path: &DocumentPath<'_>,
        evaluators: &Evaluators<'_>,
    ) -> Targeting {
        match json {
            None | Some(Value::Null) => Targeting::Absent,
            Some(Value::Object(members)) if members.is_empty() => Targeting::Absent,
            Some(rule @ Value::Object(_)) => {
                let compiled = compile(rule, path, &evaluators.names, &mut self.targeting);
                let sound = compiled.filter(|rule| {
                    references::compute_depth(rule, &evaluators.depths, &mut self.targeting).is_some()
                });
                sound.map_or(Targeting::Broken, |compiled| Targeting::Rule(compiled.rule))
            }
            Some(_) => {
                self.targeting
                    .add(path, "must be an object: a rule, or an empty one");
                Targeting::Broken
            }
        }
    }

    fn metadata(&mut self, json: Option<&Value>, path: &DocumentPath<'_>) -> JsonMembers {
        let members = match json {
            None | Some(Value::Null) => return JsonMembers::new(),
            Some(Value::Object(members)) => members,
            Some(_) => {
                self.structure.add(path, "must be an object");
                return JsonMembers::new();
            }
        };
        if members.len() > MAX_METADATA_MEMBERS {
            self.structure
                .add(path, format!("has more than {MAX_METADATA_MEMBERS} members"));
        }
        for (name, value) in members {
            if !matches!(value, Value::Bool(_) | Value::Number(_) | Value::String(_)) {
                self.structure.add(
                    &DocumentPath::Member(path, name),
                    "must be a boolean, a number or a string",
                );
            }
        }
        members.clone()
    }
}
