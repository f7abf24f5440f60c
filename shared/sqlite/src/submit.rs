//! Settles submissions: all of a call in one transaction, each attempt in whole or not at all.

use leaderboard_core::codec::decode_outcome;
use leaderboard_core::ports::{Overdraft, RankDetail, SubmitOptions, Submitted};
use leaderboard_core::{
    Decision, Entry, EntryChange, OrderKey, Outcome, PreparedSubmission, Previous, Refusal, RefusalReason,
    Status, StoreError, SubmissionId, Target, TenantId,
};

use crate::batch::Batch;
use crate::connection::{Connection, Value};
use crate::entries::{self, Placed};
use crate::ids::{self, Known};
use crate::metering;
use crate::periods::Found;
use crate::ranking::rank_move;
use crate::row::{Cells, corrupt, malformed};
use crate::store::Session;
use crate::tuples;

/// A refusal is a result, not an error.
type Settled<T, R = RefusalReason> = Result<Result<T, R>, StoreError>;

/// Charges a call, and settles attempts unless the call is refused.
pub(crate) async fn metered<C: Connection>(
    session: &Session<'_, C>,
    tenant: &TenantId,
    attempts: &[PreparedSubmission],
    terms: &SubmitOptions,
) -> Result<Submitted, StoreError> {
    let metered = metering::charge(session, tenant, &terms.metering, Overdraft::OfTake).await?;
    let answers = if metered.refused {
        Vec::new()
    } else {
        submit(session, tenant, attempts, terms).await?
    };
    Ok(Submitted { metered, answers })
}

/// Settles attempts in their order.
pub(crate) async fn submit<C: Connection>(
    session: &Session<'_, C>,
    tenant: &TenantId,
    attempts: &[PreparedSubmission],
    terms: &SubmitOptions,
) -> Result<Vec<Result<Vec<Outcome>, Refusal>>, StoreError> {
    let Some(now) = attempts.iter().map(|attempt| attempt.recorded_at).max() else {
        return Ok(Vec::new());
    };
    let mut batch = Batch::new(session, tenant, now);
    let mut results = Vec::with_capacity(attempts.len());
    for attempt in attempts {
        results.push(settle(&mut batch, attempt, terms).await?);
    }
    batch.finish(terms.max_log_bytes).await?;
    Ok(results)
}

/// What one target found in the store.
struct PeriodRef {
    board: i64,
    hidden: bool,
    /// What the attempt's id stands for.
    known: Option<Known>,
    /// Key and the columns after it, not yet read: the layout may be another one.
    existing: Option<(Vec<u8>, Cells)>,
}

async fn settle<C: Connection>(
    batch: &mut Batch<'_, C>,
    attempt: &PreparedSubmission,
    terms: &SubmitOptions,
) -> Settled<Vec<Outcome>, Refusal> {
    let mut steps = Vec::with_capacity(attempt.targets.len());
    for target in &attempt.targets {
        match plan(batch, attempt, target).await? {
            Ok(step) => steps.push(step),
            Err(reason) => return Ok(Err(refusal(target, reason))),
        }
    }
    if let Some(max_entries) = terms.max_tenant_entries
        && let Some(target) = without_room(batch, attempt, &steps, max_entries).await?
    {
        return Ok(Err(refusal(target, RefusalReason::TenantFull { max_entries })));
    }
    if let Some(max_log_bytes) = terms.max_log_bytes
        && let Some(target) = without_record(batch, attempt, &steps, max_log_bytes).await?
    {
        return Ok(Err(refusal(target, RefusalReason::LogFull { max_log_bytes })));
    }
    let mut outcomes = Vec::with_capacity(steps.len());
    for (target, step) in attempt.targets.iter().zip(steps) {
        outcomes.push(match step {
            Step::Replay(outcome) => outcome,
            Step::Apply(apply) => apply.write(batch, attempt, target, terms.ranks).await?,
        });
    }
    Ok(Ok(outcomes))
}

/// The first target that would make a new entry, if the tenant may not have all that the attempt makes.
async fn without_room<'a, C: Connection>(
    batch: &mut Batch<'_, C>,
    attempt: &'a PreparedSubmission,
    steps: &[Step],
    max_entries: u64,
) -> Result<Option<&'a Target>, StoreError> {
    let mut creating = attempt
        .targets
        .iter()
        .zip(steps)
        .filter(|(_, step)| step.creates());
    let Some((first, _)) = creating.next() else {
        return Ok(None);
    };
    let more = 1 + creating.count() as u64;
    let entries = batch.tenant_entries().await?.saturating_add(more);
    Ok((entries > max_entries).then_some(first))
}

/// The first target that would make an idempotency record, if the tenant may not have all that the attempt makes.
async fn without_record<'a, C: Connection>(
    batch: &mut Batch<'_, C>,
    attempt: &'a PreparedSubmission,
    steps: &[Step],
    max_log_bytes: u64,
) -> Result<Option<&'a Target>, StoreError> {
    let steps = attempt.targets.iter().zip(steps);
    let mut making = steps.filter(|(_, step)| matches!(step, Step::Apply(_)));
    let (Some(_), Some((first, _))) = (&attempt.id, making.next()) else {
        return Ok(None);
    };
    let more = making.fold(attempt.record_weight(first), |bytes, (target, _)| {
        bytes.saturating_add(attempt.record_weight(target))
    });
    let bytes = batch.record_bytes().await?.saturating_add(more);
    Ok((bytes > max_log_bytes).then_some(first))
}

fn refusal(target: &Target, reason: RefusalReason) -> Refusal {
    Refusal {
        leaderboard: target.board.value.id.clone(),
        reason,
    }
}

/// All that is checked of a target; nothing is written.
async fn plan<C: Connection>(
    batch: &mut Batch<'_, C>,
    attempt: &PreparedSubmission,
    target: &Target,
) -> Settled<Step> {
    let Some(board) = batch.board(target).await? else {
        return Ok(Err(RefusalReason::StaleConfiguration));
    };
    let place = find(batch, attempt, target, board).await?;
    if let Some((id, known)) = attempt.id.as_ref().zip(place.known.as_ref()) {
        return replay(attempt, target, id, known);
    }
    if let Some(reason) = &target.refused {
        return Ok(Err(reason.clone()));
    }
    let period = batch.period(board, &target.period.id).await?;
    if period.is_some_and(|period| period.layout != target.board.value.layout()) {
        return Ok(Err(RefusalReason::PeriodReordered));
    }
    if period.is_some_and(|period| period.is_rebuilt_at(attempt.recorded_at)) {
        return Ok(Err(RefusalReason::Rebuilding));
    }
    decide(attempt, target, period, place)
}

/// Reads all that a target meets, in one statement.
async fn find<C: Connection>(
    batch: &mut Batch<'_, C>,
    attempt: &PreparedSubmission,
    target: &Target,
    board: i64,
) -> Result<PeriodRef, StoreError> {
    const FIND: &str = "SELECT EXISTS (SELECT 1 FROM bans WHERE tenant = ?5 AND player = ?2 \
           AND (expires_at IS NULL OR expires_at > ?7)), \
         s.fingerprint, s.outcome, e.order_key, e.attempts, e.metadata \
         FROM (SELECT 1) \
         LEFT JOIN entries e ON e.period = ?1 AND e.player = ?2 \
         LEFT JOIN submissions s ON s.leaderboard = ?3 AND s.id = ?4 AND s.recorded_at > ?6";
    let period = batch
        .period(board, &target.period.id)
        .await?
        .map(|period| period.row);
    let record = attempt.record_name();
    let parameters = [
        period.map_or(Value::Null, Value::Integer),
        Value::Text(attempt.player.as_str()),
        Value::Integer(board),
        record.as_deref().map_or(Value::Null, Value::Text),
        Value::Text(batch.tenant.as_str()),
        Value::Integer(ids::too_old(attempt.recorded_at)),
        Value::Integer(attempt.recorded_at.as_unix_ms()),
    ];
    let row = batch.session.row(FIND, &parameters).await?;
    let mut cells = row.ok_or_else(|| corrupt("entry"))?;
    let hidden = cells.flag("hidden")?;
    let fingerprint = cells.blob_or_null("fingerprint")?;
    let outcome = cells.blob_or_null("outcome")?;
    let known = match batch.known_id(board, attempt) {
        Some(known) => Some(known.clone()),
        None => fingerprint
            .zip(outcome)
            .map(|(fingerprint, outcome)| Known { fingerprint, outcome }),
    };
    let key = cells.blob_or_null("order key")?;
    Ok(PeriodRef {
        board,
        hidden,
        known,
        existing: key.map(|key| (key, cells)),
    })
}

/// The first outcome of an id, if the content is the same.
fn replay(attempt: &PreparedSubmission, target: &Target, id: &SubmissionId, known: &Known) -> Settled<Step> {
    if known.fingerprint != attempt.fingerprint {
        return Ok(Err(RefusalReason::IdConflict { id: id.clone() }));
    }
    let leaderboard = target.board.value.id.clone();
    decode_outcome(&known.outcome, leaderboard, attempt.player.clone())
        .map(|outcome| Ok(Step::Replay(outcome)))
        .map_err(malformed)
}

/// What is left to do for a target once every target has been decided.
enum Step {
    Replay(Outcome),
    Apply(Box<Apply>),
}

impl Step {
    fn creates(&self) -> bool {
        matches!(self, Self::Apply(apply) if apply.decision.status == Status::Created)
    }
}

/// A decision on its way into the tables.
struct Apply {
    board: i64,
    hidden: bool,
    existing: Option<Placed>,
    decision: Decision,
}

fn decide(
    attempt: &PreparedSubmission,
    target: &Target,
    period: Option<&Found>,
    place: PeriodRef,
) -> Settled<Step> {
    let entries = period.map_or(0, |period| period.total);
    let existing = match (period, place.existing) {
        (Some(period), Some((key, mut cells))) => Some(entries::placed(&period.layout, key, &mut cells)?),
        _ => None,
    };
    let before: Option<&Entry> = existing.as_ref().map(|placed| &placed.entry);
    if before.is_some_and(|entry| entry.player != attempt.player) {
        return Err(corrupt("player in an order key"));
    }
    let change = EntryChange::of(attempt, target);
    let decided = Decision::settle(before, entries, &attempt.player, change, &target.board.value);
    Ok(match decided {
        Ok(decision) => Ok(Step::Apply(Box::new(Apply {
            board: place.board,
            hidden: place.hidden,
            existing,
            decision,
        }))),
        Err(reason) => Err(reason),
    })
}

impl Apply {
    async fn write<C: Connection>(
        self,
        batch: &mut Batch<'_, C>,
        attempt: &PreparedSubmission,
        target: &Target,
        ranks: RankDetail,
    ) -> Result<Outcome, StoreError> {
        let Decision { entry, status } = &self.decision;
        let position = batch.take_position(&target.board.value.id);
        let session = batch.session;
        let period = batch.period_for_writing(self.board, target).await?;
        let key = period.layout.key(&entry.values, entry.reached_at, &entry.player);
        let old_key = self.existing.as_ref().map(|placed| &placed.key);
        let (rank, previous_rank) = match ranks {
            RankDetail::Omitted => (None, None),
            RankDetail::Full => {
                let (rank, previous) = rank_move(session, period, old_key, &key, self.hidden).await?;
                (Some(rank), previous)
            }
        };
        if *status == Status::Kept {
            entries::save_attempts(session, period.row, entry).await?;
        } else {
            entries::save(session, period.row, self.hidden, entry, &key).await?;
            period.version = position;
            if old_key.is_none() {
                period.total = period.total.saturating_add(1);
                period.visible = period.visible.saturating_add(u64::from(!self.hidden));
            }
            if period.keeps_tuples() && !self.hidden {
                move_tuple(session, period, old_key, &key).await?;
            }
        }
        let outcome = Outcome {
            leaderboard: target.board.value.id.clone(),
            period: target.period.id.clone(),
            player: attempt.player.clone(),
            status: *status,
            columns: Some(target.board.value.columns.clone()),
            values: entry.values.clone(),
            rank,
            previous: self.existing.as_ref().map(|before| Previous {
                values: before.entry.values.clone(),
                rank: previous_rank,
            }),
            version: period.version,
            replayed: false,
        };
        batch.count(*status);
        batch.log(self.board, position, attempt, target, (self.hidden, *status));
        batch.remember(self.board, attempt, target, &outcome);
        Ok(outcome)
    }
}

/// Keeps count of the tuples when a visible entry moves.
async fn move_tuple<C: Connection>(
    session: &Session<'_, C>,
    period: &Found,
    old: Option<&OrderKey>,
    new: &OrderKey,
) -> Result<(), StoreError> {
    let new = tuples::of(period, new);
    let old = old.map(|key| tuples::of(period, key));
    if old == Some(new) {
        return Ok(());
    }
    if let Some(old) = old {
        tuples::take(session, period.row, old).await?;
    }
    tuples::add(session, period.row, new).await
}
