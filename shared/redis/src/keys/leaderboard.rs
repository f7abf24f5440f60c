//! The names of the keys of a leaderboard.

use leaderboard_core::{LeaderboardId, PeriodId, TenantId};

use super::{Key, PERIOD_KINDS, ROOT};

/// The names of the keys of one leaderboard. The string is their common prefix.
#[derive(Debug, Clone)]
pub(crate) struct LeaderboardKeys(String);

impl LeaderboardKeys {
    pub(crate) fn new(tenant: &TenantId, board: &LeaderboardId) -> Self {
        Self([ROOT, tenant.as_str(), ":b:", board.as_str(), ":"].concat())
    }

    fn add_name(&self, name: &str) -> Key {
        [self.0.as_bytes(), name.as_bytes()].concat()
    }

    /// Returns one of a period's keys. A submission needs six of them, so this function avoids the cost of formatting.
    fn period_key(&self, kind: char, period: &str) -> Key {
        let mut letter = [0; 4];
        let kind = kind.encode_utf8(&mut letter);
        [self.0.as_bytes(), kind.as_bytes(), b":", period.as_bytes()].concat()
    }

    pub(crate) fn configuration(&self) -> Key {
        self.add_name("doc")
    }

    pub(crate) fn log(&self) -> Key {
        self.add_name("log")
    }

    pub(crate) fn log_copy(&self) -> Key {
        self.add_name("log-copy")
    }

    /// The two hashes of idempotency records.
    pub(crate) fn idempotency_records(&self) -> [Key; 2] {
        ["ids0", "ids1"].map(|name| self.add_name(name))
    }

    pub(crate) fn periods(&self) -> Key {
        self.add_name("periods")
    }

    pub(crate) fn expiries(&self) -> Key {
        self.add_name("expiries")
    }

    pub(crate) fn snapshots(&self) -> Key {
        self.add_name("snapshots")
    }

    pub(crate) fn import_parts(&self) -> Key {
        self.add_name("import-parts")
    }

    pub(crate) fn announced(&self) -> Key {
        self.add_name("announced")
    }

    /// Returns the six keys of a period.
    pub(crate) fn period(&self, period: &PeriodId) -> [Key; 6] {
        PERIOD_KINDS.map(|kind| self.period_key(kind, period.as_str()))
    }

    /// Returns the six spare keys of a period that is rebuilt.
    pub(crate) fn spare_period(&self, period: &PeriodId) -> [Key; 6] {
        PERIOD_KINDS.map(|kind| self.period_key(kind.to_ascii_uppercase(), period.as_str()))
    }

    /// Returns the prefixes of the six keys of a period, which the period's id follows.
    pub(crate) fn period_prefixes(&self) -> [Key; 6] {
        PERIOD_KINDS.map(|kind| self.period_key(kind, ""))
    }

    /// Returns the prefixes of the six spare keys of a period.
    pub(crate) fn spare_period_prefixes(&self) -> [Key; 6] {
        PERIOD_KINDS.map(|kind| self.period_key(kind.to_ascii_uppercase(), ""))
    }
}
