//! Tests that documents with problems are refused, and that each problem has its location.

use leaderboard_flags::limits::{
    MAX_DOCUMENT_BYTES, MAX_EVALUATORS, MAX_FLAGS, MAX_METADATA_MEMBERS, MAX_PROBLEMS, MAX_RULE_DEPTH,
    MAX_VARIANTS,
};
use leaderboard_flags::{ErrorCode, FlagSet};
use serde_json::{Map, Value, json};

/// Returns the locations of the problems of a document.
fn find_pointers(document: &Value) -> Vec<String> {
    let problems = FlagSet::parse(document.to_string().as_bytes()).unwrap_err();
    problems.into_iter().map(|problem| problem.pointer).collect()
}

/// Creates a document with one flag `f`, in which `members` replace the default members.
fn create_document(members: &Value) -> Value {
    let mut flag = json!({ "state": "ENABLED", "variants": { "on": true, "off": false } });
    flag.as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    json!({ "flags": { "f": flag } })
}

#[test]
fn malformed_documents_are_refused() {
    for bytes in [
        &b""[..],
        b"{",
        b"nonsense",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"\"text\"",
        b"{} {}",
    ] {
        let problems = FlagSet::parse(bytes).unwrap_err();
        assert_eq!(
            (problems.len(), problems[0].pointer.as_str()),
            (1, ""),
            "{bytes:?}: {problems:?}"
        );
    }
    assert_eq!(find_pointers(&json!({})), [""]);
    assert_eq!(find_pointers(&json!({ "flags": [] })), ["/flags"]);
    assert_eq!(find_pointers(&json!({ "flags": { "f": 1 } })), ["/flags/f"]);
    assert_eq!(
        find_pointers(&json!({ "flags": {}, "$evaluators": 1, "metadata": 2 })),
        ["/metadata", "/$evaluators"]
    );
    assert!(FlagSet::parse(br#"{"flags":{}}"#).unwrap().is_empty());
}

#[test]
fn malformed_flags_are_refused_with_the_location_of_the_problem() {
    let cases = [
        (json!({ "state": "enabled" }), "/flags/f/state"),
        (json!({ "state": null }), "/flags/f/state"),
        (json!({ "variants": null }), "/flags/f/variants"),
        (json!({ "variants": {} }), "/flags/f/variants"),
        (json!({ "variants": { "a": null } }), "/flags/f/variants/a"),
        (json!({ "variants": { "a": [1] } }), "/flags/f/variants/a"),
        (
            json!({ "variants": { "a": 1, "b/c": "2" } }),
            "/flags/f/variants/b~1c",
        ),
        (json!({ "variants": { "": true } }), "/flags/f/variants/"),
        (json!({ "defaultVariant": "maybe" }), "/flags/f/defaultVariant"),
        (json!({ "defaultVariant": true }), "/flags/f/defaultVariant"),
        (json!({ "targeting": [] }), "/flags/f/targeting"),
        (json!({ "targeting": "on" }), "/flags/f/targeting"),
        (json!({ "targeting": { "iff": [] } }), "/flags/f/targeting/iff"),
        (
            json!({ "targeting": { "if": [], "var": "" } }),
            "/flags/f/targeting",
        ),
        (
            json!({ "targeting": { "if": [true, { "no": 1 }] } }),
            "/flags/f/targeting/if/1/no",
        ),
        (
            json!({ "targeting": { "$ref": "none" } }),
            "/flags/f/targeting/$ref",
        ),
        (json!({ "targeting": { "$ref": 1 } }), "/flags/f/targeting/$ref"),
        (json!({ "metadata": [] }), "/flags/f/metadata"),
        (json!({ "metadata": { "a": {} } }), "/flags/f/metadata/a"),
    ];
    for (members, pointer) in cases {
        assert_eq!(find_pointers(&create_document(&members)), [pointer], "{members}");
    }
    assert!(
        FlagSet::parse(
            create_document(&json!({ "defaultVariant": null }))
                .to_string()
                .as_bytes()
        )
        .is_ok()
    );
}

#[test]
fn all_problems_are_reported_at_once() {
    let document = json!({ "flags": {
        "a": { "state": "ON", "variants": { "x": 1, "y": "2" }, "defaultVariant": "z" },
        "b": { "state": "ENABLED", "variants": { "x": 1 }, "targeting": { "wrong": 1 } },
    } });
    let expected = [
        "/flags/a/state",
        "/flags/a/variants/y",
        "/flags/a/defaultVariant",
        "/flags/b/targeting/wrong",
    ];
    assert_eq!(find_pointers(&document), expected);
    let many: Map<_, _> = (0..500).map(|n| (format!("f{n}"), json!(1))).collect();
    assert_eq!(find_pointers(&json!({ "flags": many })).len(), MAX_PROBLEMS);
}

#[test]
fn cycles_of_shared_rules_are_refused() {
    let document = |evaluators: Value| {
        let mut document = create_document(&json!({ "targeting": { "if": [{ "$ref": "a" }, "on"] } }));
        document["$evaluators"] = evaluators;
        document
    };
    let own = document(json!({ "a": { "and": [true, { "$ref": "a" }] } }));
    assert_eq!(find_pointers(&own), ["/$evaluators/a/and/1/$ref"]);
    let two = document(json!({ "a": { "$ref": "b" }, "b": { "!": { "$ref": "a" } } }));
    assert_eq!(find_pointers(&two), ["/$evaluators/b/!/$ref"]);
    let sound = document(json!({ "a": { "or": [{ "$ref": "b" }, { "$ref": "b" }] }, "b": { "var": "x" } }));
    let set = FlagSet::parse(sound.to_string().as_bytes()).unwrap();
    assert_eq!(
        set.evaluate("f", &json!({ "x": 1 }), 0).unwrap().variant,
        Some("on")
    );
}

#[test]
fn documents_over_a_size_limit_are_refused() {
    let large = vec![b' '; MAX_DOCUMENT_BYTES + 1];
    assert!(
        FlagSet::parse(&large).unwrap_err()[0]
            .detail
            .contains("262144 bytes")
    );
    let flag = json!({ "state": "ENABLED", "variants": { "x": 1 } });
    let flags: Map<_, _> = (0..=MAX_FLAGS).map(|n| (n.to_string(), flag.clone())).collect();
    assert_eq!(find_pointers(&json!({ "flags": flags })), ["/flags"]);
    let rules: Map<_, _> = (0..=MAX_EVALUATORS)
        .map(|n| (n.to_string(), json!({ "var": "x" })))
        .collect();
    assert_eq!(
        find_pointers(&json!({ "flags": {}, "$evaluators": rules })),
        ["/$evaluators"]
    );
    let variants: Map<_, _> = (0..=MAX_VARIANTS).map(|n| (n.to_string(), json!(n))).collect();
    assert_eq!(
        find_pointers(&create_document(&json!({ "variants": variants }))),
        ["/flags/f/variants"]
    );
    let metadata: Map<_, _> = (0..=MAX_METADATA_MEMBERS)
        .map(|n| (n.to_string(), json!(n)))
        .collect();
    assert_eq!(
        find_pointers(&create_document(&json!({ "metadata": metadata }))),
        ["/flags/f/metadata"]
    );
    assert_eq!(
        find_pointers(&json!({ "flags": { "f".repeat(257): flag } })),
        [format!("/flags/{}", "f".repeat(257))]
    );
}

#[test]
fn rules_over_the_depth_limit_are_refused() {
    let nested = |levels: usize| (0..levels).fold(json!("on"), |inner, _| json!({ "log": inner }));
    let create_nested = |levels| create_document(&json!({ "targeting": nested(levels) })).to_string();
    assert!(FlagSet::parse(create_nested(MAX_RULE_DEPTH - 1).as_bytes()).is_ok());
    let problems = FlagSet::parse(create_nested(MAX_RULE_DEPTH).as_bytes()).unwrap_err();
    assert!(
        problems[0].pointer.starts_with("/flags/f/targeting/log/log"),
        "{problems:?}"
    );
    // This document is nested too deeply for the JSON parser.
    let deep = format!("{{\"flags\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
    assert_eq!(FlagSet::parse(deep.as_bytes()).unwrap_err()[0].pointer, "");
    // A chain of shared rules, each one level deeper than the next.
    let chain: Map<_, _> = (0..90)
        .map(|n| {
            (
                format!("r{n:02}"),
                json!({ "!": { "$ref": format!("r{:02}", n + 1) } }),
            )
        })
        .collect();
    let mut document = create_document(&json!({ "targeting": { "$ref": "r00" } }));
    document["$evaluators"] = Value::from(chain);
    document["$evaluators"]["r90"] = json!(true);
    let problems = FlagSet::parse(document.to_string().as_bytes()).unwrap_err();
    assert!(
        problems.iter().any(|problem| problem.detail.contains("deeper")),
        "{problems:?}"
    );
}

#[test]
fn tolerant_parsing_keeps_the_flags_around_a_broken_rule() {
    let document = json!({
        "$evaluators": { "circle": { "$ref": "circle" }, "sound": true },
        "flags": {
            "broken": { "state": "ENABLED", "variants": { "x": 1 }, "targeting": { "wrong": 1 } },
            "circular": { "state": "ENABLED", "variants": { "x": 1 }, "targeting": { "if": [{ "$ref": "circle" }] } },
            "sound": { "state": "ENABLED", "variants": { "x": 1 }, "targeting": { "if": [{ "$ref": "sound" }, "x"] } },
        },
    });
    let bytes = document.to_string();
    assert_eq!(
        find_pointers(&document),
        ["/$evaluators/circle/$ref", "/flags/broken/targeting/wrong"]
    );
    let set = FlagSet::parse_tolerant(bytes.as_bytes()).unwrap();
    for key in ["broken", "circular"] {
        assert_eq!(
            set.evaluate(key, &Value::Null, 0).unwrap_err().code,
            ErrorCode::ParseError,
            "{key}"
        );
    }
    assert_eq!(set.evaluate("sound", &Value::Null, 0).unwrap().variant, Some("x"));
    assert!(FlagSet::parse_tolerant(br#"{"flags":{"f":{}}}"#).is_err());
}
