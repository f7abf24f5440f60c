//! A leaderboard's configuration.

use crate::{
    CachePolicy, Columns, Invalid, Layout, LeaderboardId, Limits, LogPolicy, MAX_KEEP_PERIODS, Period,
    Schedule, StandingsPolicy, Ties, Timestamp,
};

/// The longest title, in characters.
pub const MAX_TITLE_CHARS: usize = 200;
/// How many periods a leaderboard keeps if its configuration does not say.
pub const DEFAULT_KEEP_PERIODS: u16 = 12;

/// How a submission is combined with the existing entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// The better of the two tuples becomes the entry's tuple.
    Best,
    /// The submitted tuple replaces the entry's tuple.
    Set,
    /// The submitted value is added to the first column; the other columns are replaced.
    Increment,
    /// The submitted value is subtracted from the first column; the other columns are replaced.
    Decrement,
}

impl Operator {
    /// Returns the number of the operator in storage: 0 best, 1 set, 2 increment, 3 decrement.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Best => 0,
            Self::Set => 1,
            Self::Increment => 2,
            Self::Decrement => 3,
        }
    }

    /// Returns the operator with this number ([`Operator::code`]).
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Best,
            1 => Self::Set,
            2 => Self::Increment,
            3 => Self::Decrement,
            _ => return None,
        })
    }
}

/// Who may read a leaderboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadAccess {
    /// Anyone, also without a credential.
    Public,
    /// Credentials of the tenant with the read scope.
    Private,
}

/// Who may submit to a leaderboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteAccess {
    /// Server credentials with the write scope only.
    Server,
    /// Server credentials, and also players with their own token, for their own scores.
    Player,
}

/// Who may read a leaderboard and submit to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Who may read.
    pub read: ReadAccess,
    /// Who may write.
    pub write: WriteAccess,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            read: ReadAccess::Public,
            write: WriteAccess::Server,
        }
    }
}

/// The whole configuration of a leaderboard.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaderboard {
    /// The id within the tenant.
    pub id: LeaderboardId,
    /// The title for people; at most [`MAX_TITLE_CHARS`] characters, can be empty.
    pub title: String,
    /// The columns and their directions.
    pub columns: Columns,
    /// How a submission is combined with the existing entry.
    pub operator: Operator,
    /// Whether a server's submission may name another operator than `operator`. A server may name `set` in any case; a player may
    /// not name an operator.
    pub operator_override: bool,
    /// How equal tuples are ranked.
    pub ties: Ties,
    /// When a new period begins.
    pub schedule: Schedule,
    /// How many periods are kept, the current one included (1 to [`MAX_KEEP_PERIODS`]).
    pub keep_periods: u16,
    /// Scores that happened before this instant are refused.
    pub starts_at: Option<Timestamp>,
    /// Scores that happened at or after this instant are refused.
    pub ends_at: Option<Timestamp>,
    /// Bounds on submissions.
    pub limits: Limits,
    /// Who may read and write.
    pub access: Access,
    /// How long responses about the leaderboard may be cached.
    pub cache: CachePolicy,
    /// How much of the leaderboard's log is kept.
    pub log: LogPolicy,
    /// What happens at the end of a period.
    pub standings: StandingsPolicy,
}

impl Leaderboard {
    /// Creates a leaderboard with every field at its default.
    #[must_use]
    pub fn new(id: LeaderboardId) -> Self {
        Self {
            id,
            title: String::new(),
            columns: Columns::default(),
            operator: Operator::Best,
            operator_override: false,
            ties: Ties::Earliest,
            schedule: Schedule::never(),
            keep_periods: DEFAULT_KEEP_PERIODS,
            starts_at: None,
            ends_at: None,
            limits: Limits::default(),
            access: Access::default(),
            cache: CachePolicy::default(),
            log: LogPolicy::default(),
            standings: StandingsPolicy::default(),
        }
    }

    /// Returns whether a submission with `operator` is a correction: its operator is `set`, the leaderboard has another operator,
    /// and the leaderboard allows no overrides.
    #[must_use]
    pub fn is_correction(&self, operator: Option<Operator>) -> bool {
        operator == Some(Operator::Set) && self.operator != Operator::Set && !self.operator_override
    }

    /// Checks each field, and the rules between fields.
    ///
    /// # Errors
    /// The first fault of [`Leaderboard::find_faults`].
    pub fn check(&self) -> Result<(), Invalid> {
        self.find_faults().into_iter().next().map_or(Ok(()), Err)
    }

    /// Returns every broken rule. A rule between two fields is reported at both.
    #[must_use]
    pub fn find_faults(&self) -> Vec<Invalid> {
        let mut faults = Vec::new();
        if self.title.chars().count() > MAX_TITLE_CHARS {
            faults.push(Invalid::new(
                "/title",
                format!("must be at most {MAX_TITLE_CHARS} characters"),
            ));
        }
        if self.title.chars().any(char::is_control) {
            faults.push(Invalid::new("/title", "must not contain control characters"));
        }
        if self.keep_periods == 0 || self.keep_periods > MAX_KEEP_PERIODS {
            faults.push(Invalid::new(
                "/keep_periods",
                format!("must be 1 to {MAX_KEEP_PERIODS}"),
            ));
        }
        if let (Some(start), Some(end)) = (self.starts_at, self.ends_at)
            && start >= end
        {
            faults.push(Invalid::new("/starts_at", "must be before ends_at"));
            faults.push(Invalid::new("/ends_at", "must be after starts_at"));
        }
        let limits = self.limits.find_faults().into_iter();
        faults.extend(limits.map(|invalid| invalid.within("/limits")));
        let cache = self.cache.find_faults().into_iter();
        faults.extend(cache.map(|invalid| invalid.within("/cache")));
        let log = self.log.find_faults().into_iter();
        faults.extend(log.map(|invalid| invalid.within("/log")));
        faults.extend(self.standings.find_faults());
        faults
    }

    /// Returns when a period of the leaderboard ends: at its own end or at the end of the leaderboard, whichever comes first. `None` if
    /// it never ends.
    #[must_use]
    pub fn end_of_period(&self, period: &Period) -> Option<Timestamp> {
        match (period.ends_at, self.ends_at) {
            (Some(period), Some(leaderboard)) => Some(period.min(leaderboard)),
            (one, other) => one.or(other),
        }
    }

    /// Returns how entries are ordered and ranked.
    #[must_use]
    pub fn layout(&self) -> Layout {
        Layout {
            columns: self.columns.clone(),
            ties: self.ties,
        }
    }
}

/// A stored document and its version.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<T> {
    /// The version of the document: unique within the tenant. It grows with every change, also when the document is deleted and
    /// created again, and a store that lost writes or was restored from a backup does not use a version twice. So a cached
    /// document cannot be confused with a later one. At most 2^53, which JSON represents exactly.
    pub version: u64,
    /// The document.
    pub value: T,
}

impl<T> Versioned<T> {
    /// Returns the same version with what `read` reads from the document.
    ///
    /// # Errors
    /// The error of `read`.
    pub fn try_map<U, E>(self, read: impl FnOnce(T) -> Result<U, E>) -> Result<Versioned<U>, E> {
        Ok(Versioned {
            version: self.version,
            value: read(self.value)?,
        })
    }
}
