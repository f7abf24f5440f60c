//! The distribution of a leaderboard's scores.

use super::bounds::Span;
use super::leaderboard_memory::SharedLeaderboard;
use super::query::{QueryError, ReadFailure, read_with_current, refer_to_period, resolve_period};
use super::{Deps, Store};
use crate::access::Caller;
use crate::ports::{Cache, Position, Positions, Sample};
use crate::{Layout, LeaderboardId, Order, Period, PeriodSelector, Ties, Values};

/// The default number of buckets.
pub const DEFAULT_BUCKETS: u32 = 20;
/// The most buckets a distribution can have.
pub const MAX_BUCKETS: u32 = 100;
/// The percentiles that a distribution contains.
pub const PERCENTILES: [u16; 9] = [1, 5, 10, 25, 50, 75, 90, 95, 99];

/// The parameters of a distribution.
#[derive(Debug, Clone)]
pub struct DistributionQuery {
    /// The period.
    pub period: PeriodSelector,
    /// The number of buckets, 1 to [`MAX_BUCKETS`].
    pub buckets: u32,
    /// A score whose position is also computed.
    pub score: Option<i64>,
}

/// The number of entries whose first column is between `from` and `to`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// The smallest value.
    pub from: i64,
    /// The largest value.
    pub to: i64,
    /// The number of entries.
    pub count: u64,
}

/// The position that a score would have if it were submitted now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScorePlace {
    /// The score.
    pub score: i64,
    /// The rank: with [`Ties::Earliest`] after all equal scores; otherwise before equal scores, or the rank that they share.
    pub rank: u64,
    /// The percentage of entries with a worse value.
    pub percentile: f64,
}

/// The distribution of a leaderboard's first column.
#[derive(Debug, Clone)]
pub struct Distribution {
    /// The configuration that the distribution was read with.
    pub leaderboard: SharedLeaderboard,
    /// How the period is ordered.
    pub layout: Layout,
    /// The period.
    pub period: Period,
    /// The period's version.
    pub version: u64,
    /// The number of entries, which is the sum of the buckets.
    pub count: u64,
    /// Buckets of equal width from the smallest to the largest value; empty if there are no entries.
    pub buckets: Vec<Bucket>,
    /// For each of [`PERCENTILES`], the value that is better than or equal to that percentage of entries.
    pub percentiles: Vec<(u16, i64)>,
    /// The position of the score in the query; `None` if the query has no score.
    pub score: Option<ScorePlace>,
}

/// Reads the distribution of a leaderboard's first column.
///
/// # Errors
/// [`QueryError`].
pub async fn read_distribution<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    caller: &Caller,
    id: &LeaderboardId,
    query: &DistributionQuery,
) -> Result<Distribution, QueryError> {
    read_with_current(deps, id, caller, async |board| {
        read_distribution_once(deps, board, query).await
    })
    .await
}

async fn read_distribution_once<S: Store, K: Cache>(
    deps: &Deps<'_, S, K>,
    board: &SharedLeaderboard,
    query: &DistributionQuery,
) -> Result<Distribution, ReadFailure> {
    let period = resolve_period(deps, &board.value, &query.period).await?;
    let at = refer_to_period(deps, board, &period);
    let sample = deps.store.sample(&at, &list_fractions()).await?;
    let plan = plan_buckets(board, &sample, query);
    let found = deps.store.positions(&at, &plan.tuples).await?;
    Ok(plan.build_distribution(board, period, &sample, &found))
}

/// Returns the fractions of the sample that a distribution needs: both ends, and [`PERCENTILES`].
pub(super) fn list_fractions() -> Vec<u16> {
    let mut fractions = vec![0, 1000];
    fractions.extend(PERCENTILES.map(|percent| 1000 - 10 * percent));
    fractions
}

/// The buckets of a distribution before they are counted.
pub(super) struct BucketPlan {
    layout: Layout,
    order: Order,
    spans: Vec<Span>,
    score: Option<i64>,
    /// The tuples whose positions are needed.
    pub(super) tuples: Vec<Vec<u8>>,
}

/// Plans the buckets between the ends of a sample at [`list_fractions`].
pub(super) fn plan_buckets(
    board: &SharedLeaderboard,
    sample: &Sample,
    query: &DistributionQuery,
) -> BucketPlan {
    let layout = sample.layout.clone().unwrap_or_else(|| board.value.layout());
    let order = layout
        .columns
        .first()
        .map_or(Order::Descending, crate::Column::order);
    let spans = cut_spans(sample, query.buckets);
    let mut tuples: Vec<Vec<u8>> = spans
        .iter()
        .map(|span| first_column_tuple(&layout, span.better_end(order)))
        .collect();
    tuples.extend(query.score.map(|score| first_column_tuple(&layout, score)));
    BucketPlan {
        layout,
        order,
        spans,
        score: query.score,
        tuples,
    }
}

impl BucketPlan {
    /// Returns the distribution, from the sample of the plan and the positions of its tuples.
    pub(super) fn build_distribution(
        self,
        board: &SharedLeaderboard,
        period: Period,
        sample: &Sample,
        found: &Positions,
    ) -> Distribution {
        let buckets = count_buckets(&self.spans, self.order, found);
        let score = self
            .score
            .zip(found.positions.get(self.spans.len()))
            .map(|(score, position)| find_score_place(score, *position, found.count, self.layout.ties));
        let percentiles = PERCENTILES
            .into_iter()
            .zip(sample.values.iter().skip(2).map(Values::first))
            .collect();
        Distribution {
            leaderboard: SharedLeaderboard::clone(board),
            layout: self.layout,
            period,
            version: found.version,
            count: found.count,
            buckets,
            percentiles,
            score,
        }
    }
}

fn cut_spans(sample: &Sample, buckets: u32) -> Vec<Span> {
    match (sample.values.first(), sample.values.get(1)) {
        (Some(best), Some(worst)) => {
            let (best, worst) = (best.first(), worst.first());
            Span {
                low: best.min(worst),
                high: best.max(worst),
            }
            .cut(buckets)
        }
        _ => Vec::new(),
    }
}

fn first_column_tuple(layout: &Layout, value: i64) -> Vec<u8> {
    layout.tuple(&Values::new(vec![value]))
}

/// Counts the entries of each bucket: the number of entries better than the better end of the next worse bucket, minus the number
/// of entries better than the bucket's own better end. The outermost buckets have no outer bound, so that a score that arrives
/// between the two reads is counted too.
fn count_buckets(spans: &[Span], order: Order, found: &Positions) -> Vec<Bucket> {
    let mut best_first: Vec<(Span, u64)> = spans
        .iter()
        .copied()
        .zip(found.positions.iter().map(|position| position.better))
        .collect();
    if order == Order::Descending {
        best_first.reverse();
    }
    let ends = best_first
        .iter()
        .skip(1)
        .map(|(_, better)| *better)
        .chain([found.count]);
    let starts = [0]
        .into_iter()
        .chain(best_first.iter().skip(1).map(|(_, better)| *better));
    let counts: Vec<u64> = starts
        .zip(ends)
        .map(|(start, end)| end.saturating_sub(start))
        .collect();
    let mut buckets: Vec<Bucket> = best_first
        .iter()
        .zip(counts)
        .map(|((span, _), count)| Bucket {
            from: span.low,
            to: span.high,
            count,
        })
        .collect();
    if order == Order::Descending {
        buckets.reverse();
    }
    buckets
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a percentage for people; counts stay below 2^53"
)]
fn find_score_place(score: i64, position: Position, count: u64, ties: Ties) -> ScorePlace {
    let rank = 1 + match ties {
        Ties::Earliest => position.better + position.equal,
        Ties::Latest | Ties::Shared => position.better,
        Ties::Dense => position.better_tuples,
    };
    let worse = count.saturating_sub(position.better + position.equal);
    let percentile = if count == 0 {
        0.0
    } else {
        100.0 * worse as f64 / count as f64
    };
    ScorePlace {
        score,
        rank,
        percentile,
    }
}
