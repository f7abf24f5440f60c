//! Submissions: many attempts in one command.

use std::collections::{BTreeMap, BTreeSet};

use leaderboard_core::codec::{
    HIDDEN_FLAG, KEPT_FLAG, METADATA_FLAG, SUBMITTED_FLAGS_AT, SUBMITTED_V2, encode_event, encode_layout,
};
use leaderboard_core::ports::{
    ANNOUNCEMENT_WINDOW_MS, IDEMPOTENCY_MS, Metered, Metering, Overdraft, RankDetail, SubmitTerms, Submitted,
};
use leaderboard_core::{
    Attempt, Event, EventBody, Layout, LeaderboardId, Limits, Outcome, PeriodId, Refusal, RefusalReason,
    Status, StoreError, Target, TenantId, Ties, Timestamp, WORD_BYTES, sortable,
};

use crate::answer::{Answer, corrupt};
use crate::connection::{Connection, Reply};
use crate::keys::{self, BoardKeys};
use crate::packing::{descending_bits, pack_bounds, pack_metadata, unpack_outcome};
use crate::script::{Call, SUBMIT};
use crate::{announcements, bans, entry_counts, metering};

/// The most targets one command settles: it holds up the server for about two milliseconds.
pub(crate) const MAX_TARGETS_PER_COMMAND: usize = 64;

/// How often a call is sent because bans were yet to be applied to a leaderboard.
const MAX_TRIES: u32 = 4;

/// What became of one attempt.
type Settled = Result<Vec<Outcome>, Refusal>;

/// How long the name of an idempotency record is where the script adds it, in bytes.
const NO_NAME: usize = 0;

/// The code of an attempt that was not settled because the tenant's entries have not all been counted.
const UNCOUNTED: u8 = 12;
/// How often attempts are settled again because the tenant's entries had not all been counted.
const MAX_RECOUNTS: u32 = 3;

/// Settles attempts in their order, in as few commands as the limit above allows. The first of them is charged. An attempt
/// that met an incomplete count of entries is settled after the others of its command.
pub(crate) async fn submit<C: Connection>(
    connection: &C,
    tenant: &TenantId,
    attempts: &[Attempt],
    terms: &SubmitTerms,
) -> Result<Submitted, StoreError> {
    let mut submitted = Submitted {
        metered: Metered::default(),
        answers: Vec::with_capacity(attempts.len()),
    };
    if attempts.is_empty() && terms.metering != Metering::default() {
        submitted.metered = metering::charge(connection, tenant, &terms.metering, Overdraft::OfTake).await?;
    }
    let mut metering = Some(&terms.metering);
    let mut rest = attempts;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(chunk_length(rest));
        let call = request(tenant, chunk, terms, metering);
        let mut answer = run(connection, tenant, chunk, &call).await?;
        if metering.take().is_some() {
            submitted.metered = metering::read_metered(&answer.bytes()?)?;
            if submitted.metered.refused {
                break;
            }
        }
        let answers = read_attempts(&mut answer, chunk, terms)?;
        submitted
            .answers
            .extend(settle_uncounted(connection, tenant, chunk, terms, answers).await?);
        rest = after;
    }
    Ok(submitted)
}

/// Settles those attempts again that have no answer, once the tenant's entries have been counted.
async fn settle_uncounted<C: Connection>(
    connection: &C,
    tenant: &TenantId,
    attempts: &[Attempt],
    terms: &SubmitTerms,
    mut answers: Vec<Option<Settled>>,
) -> Result<Vec<Settled>, StoreError> {
    for _ in 0..MAX_RECOUNTS {
        let unanswered = attempts.iter().zip(&answers);
        let open: Vec<Attempt> = unanswered
            .filter(|(_, answer)| answer.is_none())
            .map(|(attempt, _)| attempt.clone())
            .collect();
        if open.is_empty() {
            break;
        }
        entry_counts::complete(connection, tenant).await?;
        let call = request(tenant, &open, terms, None);
        let mut answer = run(connection, tenant, &open, &call).await?;
        let again = read_attempts(&mut answer, &open, terms)?;
        for (slot, settled) in answers.iter_mut().filter(|slot| slot.is_none()).zip(again) {
            *slot = settled;
        }
    }
    let settled: Option<Vec<Settled>> = answers.into_iter().collect();
    settled.ok_or_else(|| StoreError::Unavailable("the count of entries changed during every retry".into()))
}

/// Runs the call on leaderboards that are up to date with the bans, and brings them there first where they are not.
async fn run<C: Connection>(
    connection: &C,
    tenant: &TenantId,
    attempts: &[Attempt],
    call: &Call,
) -> Result<Answer, StoreError> {
    for _ in 0..MAX_TRIES {
        let replies = SUBMIT.run(connection, call).await?;
        if !matches!(replies.as_slice(), [Reply::Bytes(only)] if only.is_empty()) {
            return Ok(Answer::new(replies));
        }
        let Some(now) = attempts.first().map(|attempt| attempt.recorded_at) else {
            break;
        };
        let targets = attempts.iter().flat_map(|attempt| &attempt.targets);
        let boards: BTreeSet<&LeaderboardId> = targets.map(|target| &target.board.value.id).collect();
        let boards: Vec<_> = boards.into_iter().collect();
        bans::apply(connection, tenant, &boards, now).await?;
    }
    Err(StoreError::Unavailable("bans are still being applied".into()))
}

/// How many attempts from the front fit into one command; at least one.
fn chunk_length(attempts: &[Attempt]) -> usize {
    let mut targets = 0;
    let fits = attempts.iter().take_while(|attempt| {
        targets += attempt.targets.len();
        targets <= MAX_TARGETS_PER_COMMAND
    });
    fits.count().max(1)
}

/// The call that settles `attempts`. Its keys and arguments, from front to back: what holds for the whole call; what
/// it is charged with; the terms; the number of places and each of them; the number of attempts and each of them,
/// with its targets.
fn request(
    tenant: &TenantId,
    attempts: &[Attempt],
    terms: &SubmitTerms,
    metering: Option<&Metering>,
) -> Call {
    let [bans, .., bans_state] = keys::bans(tenant);
    let mut call = Call::taking([bans, bans_state]);
    call.keys(keys::held_entries(tenant));
    call.keys([keys::log_weights(tenant)]);
    call.flag(terms.ranks == RankDetail::Full);
    call.text(&SUBMITTED_FLAGS_AT);
    call.text(&HIDDEN_FLAG);
    call.text(&KEPT_FLAG);
    call.text(&METADATA_FLAG);
    call.text(&SUBMITTED_V2);
    call.text(&IDEMPOTENCY_MS);
    call.option(attempts.first().map(|attempt| attempt.recorded_at.as_unix_ms()));
    call.flag(metering.is_some());
    if let Some(metering) = metering {
        metering::add_metering(&mut call, tenant, metering, Overdraft::OfTake);
    }
    call.option(terms.max_tenant_entries);
    if terms.max_tenant_entries.is_some() {
        metering::add_boards(&mut call, tenant);
    }
    call.option(terms.max_log_bytes);
    call.bytes(terms.announce_on.as_deref().unwrap_or_default());
    call.bytes(announcements::message_head(tenant));
    call.text(&ANNOUNCEMENT_WINDOW_MS);
    call.keys([keys::counters()]);
    let places = Places::of(attempts);
    call.text(&places.first_targets.len());
    for target in &places.first_targets {
        add_place(&mut call, tenant, target);
    }
    call.text(&attempts.len());
    for attempt in attempts {
        call.bytes(attempt.player.as_bytes());
        call.bytes(pack_metadata(attempt.metadata.as_ref()));
        call.text(&attempt.recorded_at.as_unix_ms());
        call.bytes(attempt.record_name().as_deref().unwrap_or_default());
        call.bytes(attempt.fingerprint);
        call.text(&attempt.targets.len());
        for target in &attempt.targets {
            add_target(&mut call, &places, attempt, target);
        }
    }
    call
}

/// The different periods that attempts go to, so that each is described once.
struct Places<'a> {
    first_targets: Vec<&'a Target>,
    numbers: BTreeMap<PlaceName<'a>, usize>,
}

/// Leaderboard, version of its configuration, period.
type PlaceName<'a> = (&'a LeaderboardId, u64, &'a PeriodId);

fn place_name(target: &Target) -> PlaceName<'_> {
    (&target.board.value.id, target.board.version, &target.period.id)
}

impl<'a> Places<'a> {
    fn of(attempts: &'a [Attempt]) -> Self {
        let mut places = Self {
            first_targets: Vec::new(),
            numbers: BTreeMap::new(),
        };
        for target in attempts.iter().flat_map(|attempt| &attempt.targets) {
            if !places.numbers.contains_key(&place_name(target)) {
                places.first_targets.push(target);
                places
                    .numbers
                    .insert(place_name(target), places.first_targets.len());
            }
        }
        places
    }

    /// The place's number, from 1.
    fn number(&self, target: &Target) -> usize {
        self.numbers.get(&place_name(target)).copied().unwrap_or(0)
    }
}

fn add_place(call: &mut Call, tenant: &TenantId, target: &Target) {
    let board = &target.board.value;
    let layout = board.layout();
    let names = BoardKeys::new(tenant, &board.id);
    call.keys([names.configuration(), names.log()]);
    call.keys(names.ids());
    call.keys([names.periods(), names.announced()]);
    call.keys(names.period(&target.period.id));
    call.text(&board.id);
    call.text(&target.board.version);
    call.bytes(encode_layout(&layout));
    call.text(&descending_bits(&layout));
    add_limits(call, &board.limits);
    call.text(&target.period.id);
    call.text(&pack_bounds(&target.period));
    match target.period.starts_at {
        Some(start) => call.text(&start.as_unix_ms()),
        None => call.text("-inf"),
    }
    call.option(target.expires_at.map(Timestamp::as_unix_ms));
    let [meta_prefix, ..] = names.period_prefixes();
    call.bytes(meta_prefix);
    call.text(&target.record_weight(NO_NAME));
}

fn add_limits(call: &mut Call, limits: &Limits) {
    let word = |bound: Option<[u8; WORD_BYTES]>| bound.map_or_else(Vec::new, |word| word.to_vec());
    call.bytes(word(limits.min.map(sortable)));
    call.bytes(word(limits.max.map(sortable)));
    call.bytes(word(limits.max_change.map(u64::to_be_bytes)));
    call.option(limits.max_attempts);
    call.option(limits.max_entries);
}

fn add_target(call: &mut Call, places: &Places<'_>, attempt: &Attempt, target: &Target) {
    let layout = target.board.value.layout();
    call.text(&places.number(target));
    call.text(&target.operator.code());
    call.bytes(layout.tuple(&target.values));
    call.bytes(time_word(&layout, attempt.occurred_at));
    call.bytes(bare_event(attempt, target));
    call.flag(target.refused.is_some());
}

/// The event without its metadata and marks, which the script adds: the metadata unless the entry is kept, marks when it
/// is, and when the player is hidden.
fn bare_event(attempt: &Attempt, target: &Target) -> Vec<u8> {
    let mut event = Event::submitted(attempt, target, false, Status::Created);
    if let EventBody::Submitted { metadata, .. } = &mut event.body {
        *metadata = None;
    }
    encode_event(&event)
}

/// The time as an order key holds it.
fn time_word(layout: &Layout, at: Timestamp) -> [u8; WORD_BYTES] {
    let ms = at.as_unix_ms();
    sortable(if layout.ties == Ties::Latest { !ms } else { ms })
}

/// The answers to attempts; `None` for one that met an incomplete count.
fn read_attempts(
    answer: &mut Answer,
    attempts: &[Attempt],
    terms: &SubmitTerms,
) -> Result<Vec<Option<Settled>>, StoreError> {
    let read = |attempt| match answer.bytes()?.as_slice() {
        [1, UNCOUNTED, ..] => Ok(None),
        bytes => read_attempt(bytes, attempt, terms).map(Some),
    };
    attempts.iter().map(read).collect()
}

fn read_attempt(bytes: &[u8], attempt: &Attempt, terms: &SubmitTerms) -> Result<Settled, StoreError> {
    match bytes.split_first() {
        Some((0, outcomes)) => read_outcomes(outcomes, attempt).map(Ok),
        Some((1, refusal)) => read_refusal(refusal, attempt, terms).map(Err),
        _ => Err(corrupt("answer to an attempt")),
    }
}

fn read_outcomes(bytes: &[u8], attempt: &Attempt) -> Result<Vec<Outcome>, StoreError> {
    let short = || corrupt("outcomes");
    let mut rest = bytes;
    let mut outcomes = Vec::with_capacity(attempt.targets.len());
    for target in &attempt.targets {
        let (&[replayed], after) = rest.split_first_chunk().ok_or_else(short)?;
        let (length, after) = after.split_first_chunk().ok_or_else(short)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(corrupt)?;
        let (outcome, after) = after.split_at_checked(length).ok_or_else(short)?;
        let leaderboard = target.board.value.id.clone();
        outcomes.push(unpack_outcome(
            outcome,
            leaderboard,
            attempt.player.clone(),
            replayed == 1,
        )?);
        rest = after;
    }
    Ok(outcomes)
}

fn read_refusal(bytes: &[u8], attempt: &Attempt, terms: &SubmitTerms) -> Result<Refusal, StoreError> {
    let unknown = || corrupt("refusal");
    let (&[code], target) = bytes.split_first_chunk().ok_or_else(unknown)?;
    let number = u32::from_be_bytes(target.try_into().map_err(|_| unknown())?);
    let number = usize::try_from(number).map_err(corrupt)?;
    let target = attempt.targets.get(number).ok_or_else(unknown)?;
    Ok(Refusal {
        leaderboard: target.board.value.id.clone(),
        reason: reason(code, target, attempt, terms).ok_or_else(unknown)?,
    })
}

/// The reason behind a code of `submit.lua`.
fn reason(code: u8, target: &Target, attempt: &Attempt, terms: &SubmitTerms) -> Option<RefusalReason> {
    let limits = &target.board.value.limits;
    Some(match code {
        1 => RefusalReason::StaleConfiguration,
        2 => RefusalReason::IdConflict {
            id: attempt.id.clone()?,
        },
        3 => RefusalReason::PeriodReordered,
        4 => RefusalReason::AttemptsExhausted {
            max_attempts: limits.max_attempts?,
        },
        5 => RefusalReason::Full {
            max_entries: limits.max_entries?,
        },
        6 => RefusalReason::Overflow,
        7 => RefusalReason::BelowMin { min: limits.min? },
        8 => RefusalReason::AboveMax { max: limits.max? },
        9 => RefusalReason::ChangeTooLarge {
            max_change: limits.max_change?,
        },
        10 => target.refused.clone()?,
        11 => RefusalReason::TenantFull {
            max_entries: terms.max_tenant_entries?,
        },
        13 => RefusalReason::Rebuilding,
        14 => RefusalReason::LogFull {
            max_log_bytes: terms.max_log_bytes?,
        },
        _ => return None,
    })
}
