//! JSON merge patch (RFC 7396).

use super::{Errors, Json, Object, Pointer};

/// The most fields of one object in a patch: far more than any document has. Merging compares names one by
/// one.
const MAX_FIELDS: usize = 64;

/// Adds an error for each object of a patch that has too many fields.
pub fn check_width(patch: &Json<'_>, pointer: &Pointer<'_>, errors: &mut Errors) {
    let Json::Object(object) = patch else {
        return;
    };
    if object.members.len() > MAX_FIELDS {
        errors.add(pointer, format!("must have at most {MAX_FIELDS} fields"));
        return;
    }
    for (name, value) in &object.members {
        check_width(value, &Pointer::Key(pointer, name), errors);
    }
}

/// Returns the target with the patch applied: `null` removes a field, objects are merged, and any other value replaces the old one.
pub fn merge<'a>(target: Option<Json<'a>>, patch: Json<'a>) -> Json<'a> {
    let Json::Object(patch) = patch else {
        return patch;
    };
    let mut members = match target {
        Some(Json::Object(object)) => object.members,
        _ => Vec::new(),
    };
    for (name, value) in patch.members {
        let at = members.iter().position(|(known, _)| *known == name);
        let old = at.map(|at| members.remove(at).1);
        if value != Json::Null {
            members.push((name, merge(old, value)));
        }
    }
    Json::Object(Object { members, raw: "" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    /// Returns the same tree with sorted fields, so that two trees can be compared.
    fn sort_fields(value: Json<'_>) -> Json<'_> {
        match value {
            Json::Object(object) => {
                let mut members: Vec<_> = object
                    .members
                    .into_iter()
                    .map(|(name, value)| (name, sort_fields(value)))
                    .collect();
                members.sort_by(|one, other| one.0.cmp(&other.0));
                Json::Object(Object { members, raw: "" })
            }
            Json::Array(items) => Json::Array(items.into_iter().map(sort_fields).collect()),
            other => other,
        }
    }

    #[test]
    fn the_number_of_fields_of_a_patch_is_limited() {
        let wide = |count: usize| {
            let fields: Vec<String> = (0..count).map(|n| format!("\"{n}\":1")).collect();
            format!("{{\"limits\":{{{}}}}}", fields.join(","))
        };
        for (count, fits) in [(MAX_FIELDS, true), (MAX_FIELDS + 1, false)] {
            let mut errors = Errors::default();
            let text = wide(count);
            check_width(&parse(text.as_bytes()).unwrap(), &Pointer::Root, &mut errors);
            assert_eq!(errors.check().is_ok(), fits);
        }
    }

    #[test]
    fn the_examples_of_rfc_7396_have_the_expected_results() {
        for (target, patch, result) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (
                r#"{"a":{"b":"c"}}"#,
                r#"{"a":{"b":"d","c":null}}"#,
                r#"{"a":{"b":"d"}}"#,
            ),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"a":"foo"}"#, "null", "null"),
            (r#"{"a":"foo"}"#, "\"bar\"", "\"bar\""),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            let read = |text: &'static str| parse(text.as_bytes()).unwrap();
            let merged = merge(Some(read(target)), read(patch));
            assert_eq!(sort_fields(merged), sort_fields(read(result)), "{target} {patch}");
        }
    }
}
