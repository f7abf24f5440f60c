//! Tests of the fingerprint of a submission.

use std::collections::BTreeSet;

use leaderboard_core::{LeaderboardId, Operator, Submission, SubmissionId, SubmittedValues};

use crate::given::{at, metadata, player};

fn submission() -> Submission {
    Submission {
        leaderboards: vec![LeaderboardId::new("goals").unwrap()],
        player: player("p"),
        values: SubmittedValues::Named(vec![("a".into(), 1), ("b".into(), 2)]),
        operator: None,
        metadata: None,
        occurred_at: None,
        id: SubmissionId::new("1").ok(),
        request: None,
        received_at: None,
    }
}

#[test]
fn a_fingerprint_differs_when_any_part_differs() {
    let named = |pairs: &[(&str, i64)]| {
        let pairs = pairs.iter().map(|(name, value)| ((*name).into(), *value));
        SubmittedValues::Named(pairs.collect())
    };
    let values = |values| Submission {
        values,
        ..submission()
    };
    let mut all = vec![
        submission(),
        values(SubmittedValues::Score(1)),
        values(SubmittedValues::Score(-1)),
        values(named(&[])),
        values(named(&[("a", 1)])),
        values(named(&[("a", 2), ("b", 1)])),
        values(named(&[("ab", 1), ("b", 2)])),
        values(named(&[("a", 1), ("c", 2)])),
        Submission {
            player: player("q"),
            ..submission()
        },
        Submission {
            metadata: Some(metadata("{}")),
            ..submission()
        },
        Submission {
            metadata: Some(metadata("{\"a\":1}")),
            ..submission()
        },
        Submission {
            occurred_at: Some(at("2026-01-01T00:00:00Z")),
            ..submission()
        },
        Submission {
            occurred_at: Some(at("2026-01-01T00:00:00.001Z")),
            ..submission()
        },
        Submission {
            request: Some([1; 16]),
            ..submission()
        },
    ];
    for operator in [
        Operator::Best,
        Operator::Set,
        Operator::Increment,
        Operator::Decrement,
    ] {
        all.push(Submission {
            operator: Some(operator),
            ..submission()
        });
    }
    let different: BTreeSet<_> = all.iter().map(Submission::fingerprint).collect();
    assert_eq!(different.len(), all.len());
}

#[test]
fn a_fingerprint_ignores_the_order_of_names_the_id_and_the_leaderboards() {
    let reordered = SubmittedValues::Named(vec![("b".into(), 2), ("a".into(), 1)]);
    for same in [
        Submission {
            values: reordered,
            ..submission()
        },
        Submission {
            id: SubmissionId::new("2").ok(),
            ..submission()
        },
        Submission {
            leaderboards: Vec::new(),
            ..submission()
        },
    ] {
        assert_eq!(same.fingerprint(), submission().fingerprint());
    }
}
