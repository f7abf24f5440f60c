//! Random histories of documents, rate limits, counters and the audit log.

use std::collections::BTreeMap;

use leaderboard_core::ports::DocumentKind;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

/// The largest number of steps of a history.
const MOST_STEPS: usize = 80;
/// The ids of documents.
const IDS: [&str; 5] = ["a", "a.b", "B", "0", "~"];
/// The kinds of documents.
pub const KINDS: [DocumentKind; 2] = [DocumentKind::Key, DocumentKind::Flags];

/// The number of a tenant; `None` for the operator.
pub type Scope = Option<u8>;

/// The name of a document.
#[derive(Debug, Clone)]
pub struct RandomName {
    /// Its owner.
    pub scope: Scope,
    /// Its kind.
    pub kind: DocumentKind,
    /// Its id.
    pub id: &'static str,
}

/// What a change expects to find. It names no version, because each store numbers versions in its own way.
#[derive(Debug, Clone, Copy)]
pub enum ExpectedDocument {
    /// Any document, or none.
    Any,
    /// No document.
    Absent,
    /// The current state.
    Current,
    /// Another version than the current one.
    Other,
}

/// A charge of a call.
#[derive(Debug, Clone)]
pub struct RandomCharge {
    /// The number of the tenant.
    pub tenant: u8,
    /// The cost by bucket.
    pub charges: BTreeMap<u8, u64>,
    /// The burst of every bucket.
    pub burst: u64,
    /// Requests and scores to count.
    pub usage: (u64, u64),
    /// The largest number of requests of a day.
    pub quota: Option<u64>,
    /// Whether the cost is reported after the work. Otherwise it is charged before, and can be refused.
    pub is_report: bool,
}

/// One call.
#[derive(Debug, Clone)]
pub enum EdgeStep {
    /// A rate limit is charged.
    Charge(RandomCharge),
    /// A document is stored.
    Put {
        /// Its name.
        name: RandomName,
        /// Its only byte.
        body: u8,
        /// What the call expects.
        expected: ExpectedDocument,
    },
    /// A document is deleted.
    Delete {
        /// Its name.
        name: RandomName,
        /// What the call expects.
        expected: ExpectedDocument,
    },
    /// Documents are read.
    Read(Vec<RandomName>),
    /// Documents are listed.
    List {
        /// The owner, the kind, and the id after which the list starts.
        name: RandomName,
        /// Whether the list starts after the id. Otherwise it starts at the first document.
        is_after: bool,
        /// The largest number of documents.
        limit: u32,
    },
    /// Counters are increased.
    Add(Vec<(u8, u64)>),
    /// An audit record is written.
    Append {
        /// Its owner.
        scope: Scope,
        /// Its text.
        body: Vec<u8>,
    },
    /// Audit records are read.
    ReadLog {
        /// Their owner.
        scope: Scope,
        /// The position before which the records are read; `None` for the newest records.
        before: Option<u64>,
        /// The largest number of records.
        limit: u32,
    },
}

fn scopes() -> impl Strategy<Value = Scope> {
    select(vec![None, Some(0), Some(1)])
}

fn names() -> impl Strategy<Value = RandomName> {
    (scopes(), select(KINDS.to_vec()), select(IDS.to_vec())).prop_map(|(scope, kind, id)| RandomName {
        scope,
        kind,
        id,
    })
}

fn expected_documents() -> impl Strategy<Value = ExpectedDocument> {
    select(vec![
        ExpectedDocument::Any,
        ExpectedDocument::Any,
        ExpectedDocument::Absent,
        ExpectedDocument::Current,
        ExpectedDocument::Other,
    ])
}

fn charges() -> impl Strategy<Value = EdgeStep> {
    (
        0..2_u8,
        prop::collection::btree_map(0..4_u8, 0..5_u64, 0..4),
        1..6_u64,
        (0..3_u64, 0..3_u64),
        weighted(0.2, 0..30_u64),
        prop::bool::weighted(0.3),
    )
        .prop_map(|(tenant, charges, burst, usage, quota, is_report)| {
            EdgeStep::Charge(RandomCharge {
                tenant,
                charges,
                burst,
                usage,
                quota,
                is_report,
            })
        })
}

fn steps() -> impl Strategy<Value = EdgeStep> {
    let counts = prop::collection::vec((0..5_u8, 0..1_000_000_u64), 0..5);
    let before = weighted(0.7, 0..12_u64);
    prop_oneof![
        8 => charges(),
        6 => (names(), 0..3_u8, expected_documents()).prop_map(|(name, body, expected)| EdgeStep::Put { name, body, expected }),
        3 => (names(), expected_documents()).prop_map(|(name, expected)| EdgeStep::Delete { name, expected }),
        2 => prop::collection::vec(names(), 0..9).prop_map(EdgeStep::Read),
        2 => (names(), any::<bool>(), 0..4_u32).prop_map(|(name, is_after, limit)| EdgeStep::List { name, is_after, limit }),
        1 => counts.prop_map(EdgeStep::Add),
        3 => (scopes(), prop::collection::vec(any::<u8>(), 0..9)).prop_map(|(scope, body)| EdgeStep::Append { scope, body }),
        2 => (scopes(), before, 0..6_u32).prop_map(|(scope, before, limit)| EdgeStep::ReadLog { scope, before, limit }),
    ]
}

/// Generates histories.
pub fn histories() -> impl Strategy<Value = Vec<EdgeStep>> {
    prop::collection::vec(steps(), 1..=MOST_STEPS)
}
