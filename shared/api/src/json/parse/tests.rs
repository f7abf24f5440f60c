use proptest::prelude::*;

use super::*;

fn refused(text: &str) -> FieldError {
    let problem = parse(text.as_bytes()).unwrap_err();
    assert_eq!(problem.kind, ProblemType::Malformed, "{text}");
    problem.errors[0].clone()
}

/// The same tree for another reader, numbers as text.
fn as_serde(value: &Json<'_>) -> serde_json::Value {
    match value {
        Json::Null => serde_json::Value::Null,
        Json::Bool(yes) => (*yes).into(),
        Json::Number(text) => serde_json::from_str(text).unwrap(),
        Json::String(text) => text.as_ref().into(),
        Json::Array(items) => items.iter().map(as_serde).collect(),
        Json::Object(object) => object
            .members
            .iter()
            .map(|(name, value)| (name.to_string(), as_serde(value)))
            .collect(),
    }
}

#[test]
fn reads_every_kind_of_value() {
    let text = r#" {"a":[null,true,false,-0,1.50e+3],"":"\"\\\/\b\f\n\r\té\u00e9\ud83d\ude00","o":{}} "#;
    let value = parse(text.as_bytes()).unwrap();
    let Json::Object(object) = &value else {
        panic!("an object was read as {}", value.what());
    };
    assert_eq!(
        object.get(""),
        Some(&Json::String("\"\\/\u{8}\u{c}\n\r\téé😀".into()))
    );
    let Some(Json::Array(items)) = object.get("a") else {
        panic!("no array");
    };
    assert_eq!(items[3..], [Json::Number("-0"), Json::Number("1.50e+3")]);
    assert_eq!(object.raw, text.trim());
}

#[test]
fn what_is_not_json_is_refused_by_its_place() {
    assert_eq!(
        refused(r#"{"score": NaN}"#),
        FieldError::body("#/score", "is not a JSON value")
    );
    assert_eq!(
        refused(r#"{"scores": [{"a": 1}, {"score": 01}]}"#).location,
        FieldError::body("#/scores/1", "").location
    );
    assert_eq!(
        refused(r#"{"a": {"b": 1, "b": 2}}"#),
        FieldError::body("#/a/b", "is there twice")
    );
    for bad in [
        "",
        " ",
        "{",
        "[",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "[1 2]",
        "{\"a\" 1}",
        "tru",
        "nul",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "0x1",
        "\"\u{1}\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "\"",
        "1 1",
        "\u{feff}1",
        "\"\\u+123\"",
        "\"\\u00é\"",
    ] {
        refused(bad);
    }
    assert!(parse(b"\"\xff\"").is_err());
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
    refused(&nested(MAX_DEPTH + 1));
    refused(&"[".repeat(100_000));
}

#[test]
fn many_names_are_compared_too() {
    let mut names: Vec<String> = (0..1000).map(|n| format!("\"{n}\":0")).collect();
    assert!(parse(format!("{{{}}}", names.join(",")).as_bytes()).is_ok());
    names.push("\"500\":1".into());
    assert_eq!(
        refused(&format!("{{{}}}", names.join(","))),
        FieldError::body("#/500", "is there twice")
    );
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::vec((any::<String>(), inner), 0..5)
                .prop_map(|members| members.into_iter().collect::<serde_json::Value>()),
        ]
    })
}

proptest! {
    #[test]
    fn what_serde_json_writes_is_read_the_same(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        prop_assert_eq!(super::super::compact(&text), serde_json::to_string(&value).unwrap());
        prop_assert_eq!(as_serde(&parse(text.as_bytes()).unwrap()), value);
    }

    #[test]
    fn no_text_is_read_that_serde_json_refuses(text in "[\\[\\]{}:,\"a\\\\u0-9eE.+\\- tn]{0,24}") {
        if let Ok(value) = parse(text.as_bytes()) {
            // Its reader takes no number beyond a double; ours keeps the digits.
            let theirs: Result<&serde_json::value::RawValue, _> = serde_json::from_str(&text);
            prop_assert!(theirs.is_ok(), "{}", value.what());
        }
    }

    #[test]
    fn no_bytes_bring_it_down(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = parse(&bytes);
    }
}
