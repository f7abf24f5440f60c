//! Tests of the JSON parser.

use proptest::prelude::*;

use super::*;

/// Returns the error of a text that is not JSON.
fn find_error(text: &str) -> FieldError {
    let problem = parse(text.as_bytes()).unwrap_err();
    assert_eq!(problem.kind, ProblemType::Malformed, "{text}");
    problem.errors[0].clone()
}

/// Converts a value to a value of `serde_json`.
fn convert_to_serde(value: &Json<'_>) -> serde_json::Value {
    match value {
        Json::Null => serde_json::Value::Null,
        Json::Bool(yes) => (*yes).into(),
        Json::Number(text) => serde_json::from_str(text).unwrap(),
        Json::String(text) => text.as_ref().into(),
        Json::Array(items) => items.iter().map(convert_to_serde).collect(),
        Json::Object(object) => object
            .members
            .iter()
            .map(|(name, value)| (name.to_string(), convert_to_serde(value)))
            .collect(),
    }
}

#[test]
fn every_kind_of_value_is_parsed() {
    let text = r#" {"a":[null,true,false,-0,1.50e+3],"":"\"\\\/\b\f\n\r\té\u00e9\ud83d\ude00","o":{}} "#;
    let value = parse(text.as_bytes()).unwrap();
    let Json::Object(object) = &value else {
        panic!("an object was read as {}", value.describe_kind());
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
fn invalid_json_is_refused_with_its_location() {
    assert_eq!(
        find_error(r#"{"score": NaN}"#),
        FieldError::body("#/score", "is not a JSON value")
    );
    assert_eq!(
        find_error(r#"{"scores": [{"a": 1}, {"score": 01}]}"#).location,
        FieldError::body("#/scores/1", "").location
    );
    assert_eq!(
        find_error(r#"{"a": {"b": 1, "b": 2}}"#),
        FieldError::body("#/a/b", "is there twice")
    );
}

#[test]
fn text_that_is_not_json_is_refused() {
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
        "01",
        "--1",
        "1_000",
        "NaN",
        "nan",
        "Infinity",
        "-Infinity",
        "undefined",
        "\"\u{1}\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "\"",
        "1 1",
        "{}x",
        "{}{}",
        "{\"a\":1",
        "{\"a\":\"b,\"c\":1}",
        "a=b&c=d",
        "<a>1</a>",
        "\u{feff}1",
        "\"\\u+123\"",
        "\"\\u00é\"",
    ] {
        find_error(bad);
    }
    for bad in [&b"\"\xff\""[..], b"\"\xed\xa0\x80\""] {
        assert!(parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn the_depth_of_nesting_is_limited() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
    find_error(&nested(MAX_DEPTH + 1));
    find_error(&"[".repeat(100_000));
}

#[test]
fn a_repeated_name_is_found_in_a_large_object() {
    let mut names: Vec<String> = (0..1000).map(|n| format!("\"{n}\":0")).collect();
    assert!(parse(format!("{{{}}}", names.join(",")).as_bytes()).is_ok());
    names.push("\"500\":1".into());
    assert_eq!(
        find_error(&format!("{{{}}}", names.join(","))),
        FieldError::body("#/500", "is there twice")
    );
}

/// Generates JSON values with nested arrays and objects.
fn generate_json() -> impl Strategy<Value = serde_json::Value> {
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
    fn text_of_serde_json_is_parsed_to_the_same_value(value in generate_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        prop_assert_eq!(super::super::compact(&text), serde_json::to_string(&value).unwrap());
        prop_assert_eq!(convert_to_serde(&parse(text.as_bytes()).unwrap()), value);
    }

    #[test]
    fn accepted_text_is_also_accepted_by_serde_json(text in "[\\[\\]{}:,\"a\\\\u0-9eE.+\\- tn]{0,24}") {
        if let Ok(value) = parse(text.as_bytes()) {
            // A `RawValue` also accepts numbers beyond a double, whose digits this parser keeps.
            let other: Result<&serde_json::value::RawValue, _> = serde_json::from_str(&text);
            prop_assert!(other.is_ok(), "{}", value.describe_kind());
        }
    }

    #[test]
    fn random_bytes_do_not_cause_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = parse(&bytes);
    }
}
