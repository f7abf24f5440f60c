//! What can happen at the edge, at random.

use std::collections::BTreeMap;

use leaderboard_core::ports::DocumentKind;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

/// The most steps of one history.
const MOST_STEPS: usize = 80;
const IDS: [&str; 5] = ["a", "a.b", "B", "0", "~"];
pub(super) const KINDS: [DocumentKind; 2] = [DocumentKind::Key, DocumentKind::Flags];

/// A tenant's number, or none for the operator's.
pub(super) type Scope = Option<u8>;

#[derive(Debug, Clone)]
pub(in super::super) struct Name {
    pub(super) scope: Scope,
    pub(super) kind: DocumentKind,
    pub(super) id: &'static str,
}

/// What a change expects to find, however versions are numbered.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Hope {
    Anything,
    Nothing,
    WhatIsThere,
    SomethingElse,
}

/// Something that is charged.
#[derive(Debug, Clone)]
pub(in super::super) struct Call {
    pub(super) tenant: u8,
    /// Bucket and cost.
    pub(super) charges: BTreeMap<u8, u64>,
    pub(super) burst: u64,
    pub(super) usage: (u64, u64),
    pub(super) quota: Option<u64>,
    pub(super) is_report: bool,
}

#[derive(Debug, Clone)]
pub(in super::super) enum Step {
    Charge(Call),
    Put {
        name: Name,
        body: u8,
        hope: Hope,
    },
    Delete {
        name: Name,
        hope: Hope,
    },
    Read(Vec<Name>),
    List {
        name: Name,
        is_after: bool,
        limit: u32,
    },
    Add(Vec<(u8, u64)>),
    Append {
        scope: Scope,
        body: Vec<u8>,
    },
    ReadLog {
        scope: Scope,
        before: Option<u64>,
        limit: u32,
    },
}

fn scopes() -> impl Strategy<Value = Scope> {
    select(vec![None, Some(0), Some(1)])
}

fn names() -> impl Strategy<Value = Name> {
    (scopes(), select(KINDS.to_vec()), select(IDS.to_vec())).prop_map(|(scope, kind, id)| Name {
        scope,
        kind,
        id,
    })
}

fn hopes() -> impl Strategy<Value = Hope> {
    select(vec![
        Hope::Anything,
        Hope::Anything,
        Hope::Nothing,
        Hope::WhatIsThere,
        Hope::SomethingElse,
    ])
}

fn charges() -> impl Strategy<Value = Step> {
    (
        0..2_u8,
        prop::collection::btree_map(0..4_u8, 0..5_u64, 0..4),
        1..6_u64,
        (0..3_u64, 0..3_u64),
        weighted(0.2, 0..30_u64),
        prop::bool::weighted(0.3),
    )
        .prop_map(|(tenant, charges, burst, usage, quota, is_report)| {
            Step::Charge(Call {
                tenant,
                charges,
                burst,
                usage,
                quota,
                is_report,
            })
        })
}

fn steps() -> impl Strategy<Value = Step> {
    let counts = prop::collection::vec((0..5_u8, 0..1_000_000_u64), 0..5);
    let before = weighted(0.7, 0..12_u64);
    prop_oneof![
        8 => charges(),
        6 => (names(), 0..3_u8, hopes()).prop_map(|(name, body, hope)| Step::Put { name, body, hope }),
        3 => (names(), hopes()).prop_map(|(name, hope)| Step::Delete { name, hope }),
        2 => prop::collection::vec(names(), 0..9).prop_map(Step::Read),
        2 => (names(), any::<bool>(), 0..4_u32).prop_map(|(name, is_after, limit)| Step::List { name, is_after, limit }),
        1 => counts.prop_map(Step::Add),
        3 => (scopes(), prop::collection::vec(any::<u8>(), 0..9)).prop_map(|(scope, body)| Step::Append { scope, body }),
        2 => (scopes(), before, 0..6_u32).prop_map(|(scope, before, limit)| Step::ReadLog { scope, before, limit }),
    ]
}

pub(in super::super) fn histories() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(steps(), 1..=MOST_STEPS)
}
