//! Lists, entries, periods, distributions.

use std::collections::BTreeMap;

use serde::Deserialize;
use utoipa::ToSchema;

use leaderboard_api::schema::{Int64, Metadata, Schemas, Values};

pub(super) fn add(all: &mut Schemas) {
    all.add::<Entries>();
    all.add::<EntriesV2>();
    all.add::<Window>();
    all.add::<Summary>();
    all.add::<SummaryV2>();
    all.add::<Standing>();
    all.add::<StandingV2>();
    all.add::<Periods>();
    all.add::<PeriodsV2>();
    all.add::<Distribution>();
}

/// Scores by per cent.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Percentiles(pub BTreeMap<String, Int64>);

/// A period and its bounds; `null` is unbounded.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// The instant it starts at, or `all`.
    pub id: String,
    /// Its first instant.
    #[schema(required)]
    pub starts_at: Option<String>,
    /// The first instant after it.
    #[schema(required)]
    pub ends_at: Option<String>,
}

/// One entry.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// From 1; by the leaderboard's policy for ties.
    pub rank: u64,
    /// Whose it is.
    pub player: String,
    /// By the names of the columns.
    pub values: Values,
    /// What came with the attempt that won.
    pub metadata: Metadata,
    /// When the values were reached.
    pub reached_at: String,
}

/// Whose an entry is, and what came with the attempt that won.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlayerV2 {
    /// The player's id.
    pub id: String,
    /// What came with the attempt that won.
    pub metadata: Metadata,
}

/// One entry.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryV2 {
    /// From 1; by the leaderboard's policy for ties.
    pub rank: u64,
    /// Whose it is.
    pub player: PlayerV2,
    /// By the names of the columns.
    pub values: Values,
    /// When the values were reached.
    pub reached_at: String,
}

/// A page of a list, or some players.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Entries {
    /// The leaderboard.
    pub leaderboard: String,
    /// The period.
    pub period: Period,
    /// The position of the last event that changed the period's entries.
    pub version: Int64,
    /// How many entries there are.
    pub count: u64,
    /// Best first.
    pub entries: Vec<Entry>,
    /// Of the players asked for, those without an entry.
    #[schema(nullable = false)]
    pub not_found: Option<Vec<String>>,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// The cursor of the previous page.
    pub previous: Option<String>,
    /// Whether entries changed since the list was started.
    #[schema(nullable = false)]
    pub drifted: Option<bool>,
}

/// A list of entries.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntriesV2 {
    /// The leaderboard.
    pub leaderboard: String,
    /// The period.
    pub period: Period,
    /// The position of the last event that changed the period's entries.
    pub version: Int64,
    /// How many entries there are.
    pub count: u64,
    /// Best first.
    pub data: Vec<EntryV2>,
    /// Of the players asked for, those without an entry.
    #[schema(nullable = false)]
    pub not_found: Option<Vec<String>>,
    /// Where the list goes on.
    pub page: PageV2,
}

/// Where a list goes on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PageV2 {
    /// The cursor of the next page.
    #[schema(required)]
    pub next: Option<String>,
    /// The cursor of the previous page.
    #[schema(required)]
    pub previous: Option<String>,
    /// What a list of entries was started from. `null` in lists of other things, which have no common version: a cursor is a
    /// place among their ids, so a walk neither repeats nor misses what stays.
    #[schema(required)]
    pub snapshot: Option<SnapshotV2>,
}

/// What a list was started from, and where it differs from that by now.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SnapshotV2 {
    /// The version of the list's first page.
    pub version: Int64,
    /// Whether entries changed since.
    pub drifted: bool,
    /// The ranks on this page whose players had changes since; `null` when there were too many changes to tell.
    #[schema(required)]
    pub touched_ranks: Option<Vec<u64>>,
    /// Of a list that has drifted: the players who had changes since and stand where the list has been already. Whoever of
    /// them was on none of the pages there is on none to come. `null` when there were too many changes to tell.
    pub moved_past: Option<Vec<String>>,
    /// Of a list that has drifted: how many players were removed or banned since; `null` when there were too many
    /// changes to tell.
    pub gone: Option<u64>,
}

/// A window of the list.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The leaderboard.
    pub leaderboard: String,
    /// The period.
    pub period: Period,
    /// The position of the last event that changed the period's entries.
    pub version: Int64,
    /// How many entries there are.
    pub count: u64,
    /// Best first.
    pub entries: Vec<Entry>,
    /// The cursor of the page of the list that follows.
    #[schema(required)]
    pub next: Option<String>,
    /// The cursor of the page of the list that comes before.
    #[schema(required)]
    pub previous: Option<String>,
}

/// The top of a list, and a player's neighbours.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// The first page of the list.
    pub top: Entries,
    /// The window around the player; `null` without an entry of the player.
    #[schema(required)]
    pub around: Option<Window>,
}

/// The top of a list, and a player's neighbours.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SummaryV2 {
    /// The first page of the list.
    pub top: EntriesV2,
    /// The window around the player; `null` without an entry of the player.
    #[schema(required)]
    pub around: Option<EntriesV2>,
}

/// One player's entry.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// The leaderboard.
    pub leaderboard: String,
    /// The period.
    pub period: Period,
    /// The position of the last event that changed the period's entries.
    pub version: Int64,
    /// How many entries there are.
    pub count: u64,
    /// The entry.
    pub entry: Entry,
}

/// One player's entry.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StandingV2 {
    /// The leaderboard.
    pub leaderboard: String,
    /// The period.
    pub period: Period,
    /// The position of the last event that changed the period's entries.
    pub version: Int64,
    /// How many entries there are.
    pub count: u64,
    /// The entry.
    pub entry: EntryV2,
}

/// A period that has entries.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodSummary {
    /// The instant it starts at, or `all`.
    pub id: String,
    /// Its first instant.
    #[schema(required)]
    pub starts_at: Option<String>,
    /// The first instant after it.
    #[schema(required)]
    pub ends_at: Option<String>,
    /// The position of the last event that changed its entries.
    pub version: Int64,
    /// How many entries there are.
    pub count: u64,
}

/// The periods of a leaderboard, newest first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Periods {
    /// The leaderboard.
    pub leaderboard: String,
    /// Newest first.
    pub periods: Vec<PeriodSummary>,
    /// The cursor of the next page.
    #[schema(required)]
    pub next: Option<String>,
}

/// The periods of a leaderboard, newest first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodsV2 {
    /// The leaderboard.
    pub leaderboard: String,
    /// Newest first.
    pub data: Vec<PeriodSummary>,
    /// All there is.
    pub page: PageV2,
}

/// How scores are spread.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Distribution {
    /// The leaderboard.
    pub leaderboard: String,
    /// The period.
    pub period: Period,
    /// The position of the last event that changed the period's entries.
    pub version: Int64,
    /// How many entries there are.
    pub count: u64,
    /// From the least score to the greatest.
    pub buckets: Vec<Bucket>,
    /// Scores by per cent; empty without entries.
    pub percentiles: Percentiles,
    /// Where the asked score would stand.
    #[schema(required)]
    pub score: Option<ScorePlace>,
}

/// Scores between two bounds, both included.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// The least.
    pub from: Int64,
    /// The greatest.
    pub to: Int64,
    /// How many entries.
    pub count: u64,
}

/// Where a score would stand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScorePlace {
    /// The score.
    pub score: Int64,
    /// The rank it would have.
    pub rank: u64,
    /// How many per cent of the entries it beats or equals.
    pub percentile: f64,
}
