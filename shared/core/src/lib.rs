//! The leaderboard domain of Edgeboard and its use cases.
//!
//! This crate has no I/O, no clock, no randomness and no wire format: `now` is an argument, storage is a port
//! ([`ports`]), and callers parse requests before they call this crate. A port reports failures of its environment as
//! [`StoreError`].

pub mod access;
mod cache;
pub mod codec;
mod columns;
mod decide;
mod entry;
mod erasure;
mod event;
pub mod event_projections;
mod export_line;
mod ids;
mod invalid;
mod leaderboard;
mod limits;
mod log_policy;
mod log_weight;
mod lru;
mod nearest;
mod order_key;
mod outcome;
mod period;
mod period_selector;
pub mod ports;
mod prize_table;
mod projection;
mod refusal;
mod reset_faults;
mod schedule;
mod standings;
mod submission;
mod time;
pub mod usecase;

pub use cache::{
    CachePolicy, CacheStrategy, MAX_LIFETIME_MS, MAX_STALE_IF_ERROR_MS, MAX_STALE_MS, MAX_WARM_BUCKETS,
    MAX_WARM_LIMIT, MAX_WARM_RESPONSES, WarmResponse,
};
pub use columns::{Column, Columns, MAX_COLUMN_NAME_BYTES, MAX_COLUMNS, Order, Values};
pub use decide::{Decision, EntryChange, decide};
pub use entry::{Entry, MAX_METADATA_BYTES, Metadata, RankedEntry};
pub use erasure::{PlayerErasure, PseudonymousEvent, UnreplacedEvent};
pub use event::{Event, EventBody, LoggedEvent, RecordedEvent, UnknownEvent};
pub use export_line::{EXPORT_FORMAT, ExportHeader, ExportLine, MAX_SNAPSHOT_PART_BYTES, SnapshotPart};
pub use ids::{
    IdScope, LeaderboardId, MAX_PLAYER_BYTES, MAX_SLUG_BYTES, MAX_SUBMISSION_ID_BYTES, PlayerId, RegionName,
    SubmissionId, TenantId,
};
pub use invalid::Invalid;
pub use leaderboard::{
    Access, DEFAULT_KEEP_PERIODS, Leaderboard, MAX_TITLE_CHARS, Operator, ReadAccess, Versioned, WriteAccess,
};
pub use limits::Limits;
pub use log_policy::{LogPolicy, MAX_KEEP_DAYS, MAX_KEEP_EVENTS};
pub use log_weight::{EVENT_OVERHEAD_BYTES, RECORD_OVERHEAD_BYTES, event_weight};
pub use lru::LruMap;
pub use nearest::{find_nearest, suggest};
pub use order_key::{Layout, OrderKey, SORTABLE_BYTES, Ties, decode_sortable, encode_sortable};
pub use outcome::{Outcome, Previous, Status};
pub use period::{MAX_KEEP_PERIODS, Period, PeriodId};
pub use period_selector::{LocalDate, PeriodSelector};
pub use ports::StoreError;
pub use prize_table::{PrizeTable, RankedPrize};
pub use projection::{Projection, UnfoundedEvent};
pub use refusal::{Refusal, RefusalReason};
pub use reset_faults::find_reset_faults;
pub use schedule::{MAX_CRON_BYTES, MAX_SCHEDULE_CHANGES, Reset, Schedule, TooManyChanges};
pub use standings::{
    DEFAULT_CLAIM_DAYS, FREEZE_DELAY_MS, LateScores, MAX_CLAIM_DAYS, MAX_PRIZE_NAME_CHARS, MAX_PRIZES, Prize,
    PrizeRange, StandingsPolicy,
};
pub use submission::{
    Fingerprint, MAX_CLOCK_SKEW_MS, PreparedSubmission, Submission, SubmittedValues, Target,
};
pub use time::Timestamp;
