//! Sends submissions to `submit.lua`, many in one command, and reads the outcomes.

use std::collections::{BTreeMap, BTreeSet};

use leaderboard_core::codec::{
    BANNED_FLAG, KEPT_FLAG, METADATA_FLAG, SUBMITTED_FLAGS_AT, SUBMITTED_V2, encode_event, encode_layout,
};
use leaderboard_core::ports::{
    ANNOUNCEMENT_WINDOW_MS, ChargeRequest, IDEMPOTENCY_MS, Overdraft, RankDetail, RateLimitDecision,
    SubmissionResult, SubmitOptions, Submitted,
};
use leaderboard_core::{
    Event, EventBody, Layout, LeaderboardId, Limits, Outcome, PeriodId, PreparedSubmission, Refusal,
    RefusalReason, SORTABLE_BYTES, Status, StoreError, Target, TenantId, Ties, Timestamp, sortable,
};

use crate::connection::{Connection, Reply};
use crate::keys::{self, BoardKeys};
use crate::packing::{descending_bits, pack_bounds, pack_metadata, unpack_outcome};
use crate::reply_reader::{ReplyReader, corrupt};
use crate::script::ScriptCall;
use crate::scripts::SUBMIT;
use crate::server::Server;
use crate::{announcements, bans, entry_counts, rate_limits};

/// The maximum number of targets of one command. They hold up the server for about two milliseconds.
pub(crate) const MAX_TARGETS_PER_COMMAND: usize = 64;

/// How often a call is sent while a leaderboard has pending bans.
const MAX_TRIES: u32 = 4;

/// The length of a record's id in the size that the script gets: the script adds the actual length itself.
const WITHOUT_ID: usize = 0;

/// The code of a submission that was not applied because the tenant's entries have not all been counted.
const UNCOUNTED: u8 = 12;
/// How often submissions are sent again because the tenant's entries had not all been counted.
const MAX_RECOUNTS: u32 = 3;

/// Applies submissions in order, in as few commands as [`MAX_TARGETS_PER_COMMAND`] allows. The first command charges the request.
/// A submission that needs the exact count of entries while the count is incomplete is applied after the other submissions of its
/// command.
pub(crate) async fn submit<C: Connection>(
    server: &Server<C>,
    tenant: &TenantId,
    submissions: &[PreparedSubmission],
    options: &SubmitOptions,
) -> Result<Submitted, StoreError> {
    let mut submitted = Submitted {
        rate_limit_decision: RateLimitDecision::default(),
        answers: Vec::with_capacity(submissions.len()),
    };
    if submissions.is_empty() && options.charge_request != ChargeRequest::default() {
        submitted.rate_limit_decision =
            rate_limits::apply_charges(server, tenant, &options.charge_request, Overdraft::ByTake).await?;
    }
    // A request that charges nothing has no decision to read.
    let mut charge_request =
        (options.charge_request != ChargeRequest::default()).then_some(&options.charge_request);
    let mut rest = submissions;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(count_fitting(rest));
        let call = build_call(tenant, chunk, options, charge_request);
        let mut reply = run_submit(server, tenant, chunk, &call).await?;
        if charge_request.take().is_some() {
            submitted.rate_limit_decision = rate_limits::read_decision(&reply.read_bytes()?)?;
            if submitted.rate_limit_decision.refused {
                break;
            }
        }
        let results = read_results(&mut reply, chunk, options)?;
        submitted
            .answers
            .extend(retry_uncounted(server, tenant, chunk, options, results).await?);
        rest = after;
    }
    Ok(submitted)
}

/// Counts the tenant's entries, and sends those submissions again that have no result yet.
async fn retry_uncounted<C: Connection>(
    server: &Server<C>,
    tenant: &TenantId,
    submissions: &[PreparedSubmission],
    options: &SubmitOptions,
    mut results: Vec<Option<SubmissionResult>>,
) -> Result<Vec<SubmissionResult>, StoreError> {
    for _ in 0..MAX_RECOUNTS {
        let with_results = submissions.iter().zip(&results);
        let uncounted: Vec<PreparedSubmission> = with_results
            .filter(|(_, result)| result.is_none())
            .map(|(submission, _)| submission.clone())
            .collect();
        if uncounted.is_empty() {
            break;
        }
        entry_counts::complete_count(server, tenant).await?;
        let call = build_call(tenant, &uncounted, options, None);
        let mut reply = run_submit(server, tenant, &uncounted, &call).await?;
        let retried = read_results(&mut reply, &uncounted, options)?;
        for (missing, result) in results.iter_mut().filter(|result| result.is_none()).zip(retried) {
            *missing = result;
        }
    }
    let results: Option<Vec<SubmissionResult>> = results.into_iter().collect();
    results.ok_or_else(|| StoreError::Unavailable("the count of entries changed during every retry".into()))
}

/// Runs the call. If the leaderboards have pending bans, this function applies the bans and runs the call again.
async fn run_submit<C: Connection>(
    server: &Server<C>,
    tenant: &TenantId,
    submissions: &[PreparedSubmission],
    call: &ScriptCall,
) -> Result<ReplyReader, StoreError> {
    for _ in 0..MAX_TRIES {
        let replies = SUBMIT.run(server, call).await?;
        if !matches!(replies.as_slice(), [Reply::Bytes(only)] if only.is_empty()) {
            return Ok(ReplyReader::new(replies));
        }
        let Some(now) = submissions.first().map(|submission| submission.recorded_at) else {
            break;
        };
        let targets = submissions.iter().flat_map(|submission| &submission.targets);
        let boards: BTreeSet<&LeaderboardId> = targets.map(|target| &target.board.value.id).collect();
        let boards: Vec<_> = boards.into_iter().collect();
        bans::apply_bans(server, tenant, &boards, now).await?;
    }
    Err(StoreError::Unavailable("bans are still being applied".into()))
}

/// Returns how many submissions from the front fit into one command: at least one.
fn count_fitting(submissions: &[PreparedSubmission]) -> usize {
    let mut targets = 0;
    let fits = submissions.iter().take_while(|submission| {
        targets += submission.targets.len();
        targets <= MAX_TARGETS_PER_COMMAND
    });
    fits.count().max(1)
}

/// Builds the call of `submit.lua`. Its keys and arguments, from front to back: the values for the whole call; the charges; the
/// options; the number of periods and each period; the number of submissions and each submission with its targets.
fn build_call(
    tenant: &TenantId,
    submissions: &[PreparedSubmission],
    options: &SubmitOptions,
    charge_request: Option<&ChargeRequest>,
) -> ScriptCall {
    let [bans, .., bans_state] = keys::bans(tenant);
    let period_refs = PeriodRefs::collect(submissions);
    let mut call = ScriptCall::with_packed_arguments([bans, bans_state]);
    call.add_keys(keys::entry_counts(tenant));
    call.add_keys([keys::log_sizes(tenant), keys::counters()]);
    call.add_flag(options.ranks == RankDetail::Full);
    call.add_text(&SUBMITTED_FLAGS_AT);
    call.add_text(&BANNED_FLAG);
    call.add_text(&KEPT_FLAG);
    call.add_text(&METADATA_FLAG);
    call.add_text(&SUBMITTED_V2);
    call.add_text(&IDEMPOTENCY_MS);
    call.add_option(
        submissions
            .first()
            .map(|submission| submission.recorded_at.as_unix_ms()),
    );
    call.add_option(options.max_log_bytes);
    call.add_bytes(options.announce_on.as_deref().unwrap_or_default());
    call.add_bytes(announcements::begin_message(tenant));
    call.add_text(&ANNOUNCEMENT_WINDOW_MS);
    call.add_option(options.max_tenant_entries);
    call.add_text(&period_refs.first_targets.len());
    call.add_text(&submissions.len());
    call.add_flag(charge_request.is_some());
    if options.max_tenant_entries.is_some() {
        entry_counts::add_leaderboard_keys(&mut call, tenant);
    }
    if let Some(charge_request) = charge_request {
        rate_limits::add_charges(&mut call, tenant, charge_request, Overdraft::ByTake);
    }
    for target in &period_refs.first_targets {
        add_period_ref(&mut call, tenant, target);
    }
    for submission in submissions {
        call.add_bytes(submission.player.as_bytes());
        call.add_bytes(pack_metadata(submission.metadata.as_ref()));
        call.add_text(&submission.recorded_at.as_unix_ms());
        call.add_bytes(submission.record_name().as_deref().unwrap_or_default());
        call.add_bytes(submission.fingerprint);
        call.add_text(&submission.targets.len());
        for target in &submission.targets {
            add_target(&mut call, &period_refs, submission, target);
        }
    }
    call
}

/// The different periods that submissions go to. The call describes each of them once.
struct PeriodRefs<'a> {
    first_targets: Vec<&'a Target>,
    numbers: BTreeMap<PeriodRefKey<'a>, usize>,
}

/// Leaderboard, version of its configuration, period.
type PeriodRefKey<'a> = (&'a LeaderboardId, u64, &'a PeriodId);

fn period_ref_key(target: &Target) -> PeriodRefKey<'_> {
    (&target.board.value.id, target.board.version, &target.period.id)
}

impl<'a> PeriodRefs<'a> {
    fn collect(submissions: &'a [PreparedSubmission]) -> Self {
        let mut period_refs = Self {
            first_targets: Vec::new(),
            numbers: BTreeMap::new(),
        };
        for target in submissions.iter().flat_map(|submission| &submission.targets) {
            if !period_refs.numbers.contains_key(&period_ref_key(target)) {
                period_refs.first_targets.push(target);
                period_refs
                    .numbers
                    .insert(period_ref_key(target), period_refs.first_targets.len());
            }
        }
        period_refs
    }

    /// Returns the number of the target's period, from 1.
    fn find_number(&self, target: &Target) -> usize {
        self.numbers.get(&period_ref_key(target)).copied().unwrap_or(0)
    }
}

fn add_period_ref(call: &mut ScriptCall, tenant: &TenantId, target: &Target) {
    let board = &target.board.value;
    let layout = board.layout();
    let board_keys = BoardKeys::new(tenant, &board.id);
    call.add_keys([board_keys.configuration(), board_keys.log()]);
    call.add_keys(board_keys.idempotency_records());
    call.add_keys([board_keys.periods(), board_keys.announced()]);
    call.add_keys(board_keys.period(&target.period.id));
    call.add_text(&board.id);
    call.add_text(&target.board.version);
    call.add_bytes(encode_layout(&layout));
    call.add_text(&descending_bits(&layout));
    add_limits(call, &board.limits);
    call.add_text(&target.period.id);
    call.add_text(&pack_bounds(&target.period));
    match target.period.starts_at {
        Some(start) => call.add_text(&start.as_unix_ms()),
        None => call.add_text("-inf"),
    }
    call.add_option(target.expires_at.map(Timestamp::as_unix_ms));
    let [meta_prefix, ..] = board_keys.period_prefixes();
    call.add_bytes(meta_prefix);
    call.add_text(&target.record_weight(WITHOUT_ID));
}

fn add_limits(call: &mut ScriptCall, limits: &Limits) {
    let encode = |bound: Option<[u8; SORTABLE_BYTES]>| bound.map_or_else(Vec::new, |int| int.to_vec());
    call.add_bytes(encode(limits.min.map(sortable)));
    call.add_bytes(encode(limits.max.map(sortable)));
    call.add_bytes(encode(limits.max_change.map(u64::to_be_bytes)));
    call.add_option(limits.max_attempts);
    call.add_option(limits.max_entries);
}

fn add_target(
    call: &mut ScriptCall,
    period_refs: &PeriodRefs<'_>,
    submission: &PreparedSubmission,
    target: &Target,
) {
    let layout = target.board.value.layout();
    call.add_text(&period_refs.find_number(target));
    call.add_text(&target.operator.code());
    call.add_bytes(layout.tuple(&target.values));
    call.add_bytes(encode_time(&layout, submission.occurred_at));
    call.add_bytes(encode_bare_event(submission, target));
    call.add_flag(target.refused.is_some());
}

/// Encodes the event without metadata and flags. The script adds the metadata if the submission changes the entry, and the flags for
/// a kept entry, metadata and a banned player.
fn encode_bare_event(submission: &PreparedSubmission, target: &Target) -> Vec<u8> {
    let mut event = Event::submitted(submission, target, false, Status::Created);
    if let EventBody::Submitted { metadata, .. } = &mut event.body {
        *metadata = None;
    }
    encode_event(&event)
}

/// Encodes a time as it is in an order key.
fn encode_time(layout: &Layout, at: Timestamp) -> [u8; SORTABLE_BYTES] {
    let ms = at.as_unix_ms();
    sortable(if layout.ties == Ties::Latest { !ms } else { ms })
}

/// Reads the results of submissions; `None` for a submission that needs a complete count of entries.
fn read_results(
    reply: &mut ReplyReader,
    submissions: &[PreparedSubmission],
    options: &SubmitOptions,
) -> Result<Vec<Option<SubmissionResult>>, StoreError> {
    let read = |submission| match reply.read_bytes()?.as_slice() {
        [1, UNCOUNTED, ..] => Ok(None),
        bytes => read_result(bytes, submission, options).map(Some),
    };
    submissions.iter().map(read).collect()
}

fn read_result(
    bytes: &[u8],
    submission: &PreparedSubmission,
    options: &SubmitOptions,
) -> Result<SubmissionResult, StoreError> {
    match bytes.split_first() {
        Some((0, outcomes)) => read_outcomes(outcomes, submission).map(Ok),
        Some((1, refusal)) => read_refusal(refusal, submission, options).map(Err),
        _ => Err(corrupt("reply to a submission")),
    }
}

fn read_outcomes(bytes: &[u8], submission: &PreparedSubmission) -> Result<Vec<Outcome>, StoreError> {
    let short = || corrupt("outcomes");
    let mut rest = bytes;
    let mut outcomes = Vec::with_capacity(submission.targets.len());
    for target in &submission.targets {
        let (&[replayed], after) = rest.split_first_chunk().ok_or_else(short)?;
        let (length, after) = after.split_first_chunk().ok_or_else(short)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(corrupt)?;
        let (outcome, after) = after.split_at_checked(length).ok_or_else(short)?;
        let leaderboard = target.board.value.id.clone();
        outcomes.push(unpack_outcome(
            outcome,
            leaderboard,
            submission.player.clone(),
            replayed == 1,
        )?);
        rest = after;
    }
    Ok(outcomes)
}

fn read_refusal(
    bytes: &[u8],
    submission: &PreparedSubmission,
    options: &SubmitOptions,
) -> Result<Refusal, StoreError> {
    let unknown = || corrupt("refusal");
    let (&[code], target) = bytes.split_first_chunk().ok_or_else(unknown)?;
    let number = u32::from_be_bytes(target.try_into().map_err(|_| unknown())?);
    let number = usize::try_from(number).map_err(corrupt)?;
    let target = submission.targets.get(number).ok_or_else(unknown)?;
    Ok(Refusal {
        leaderboard: target.board.value.id.clone(),
        reason: decode_reason(code, target, submission, options).ok_or_else(unknown)?,
    })
}

/// Returns the reason for a code of `REFUSAL` in `entry_rules.lua`; `None` for an unknown code.
fn decode_reason(
    code: u8,
    target: &Target,
    submission: &PreparedSubmission,
    options: &SubmitOptions,
) -> Option<RefusalReason> {
    let limits = &target.board.value.limits;
    Some(match code {
        1 => RefusalReason::StaleConfiguration,
        2 => RefusalReason::IdConflict {
            id: submission.id.clone()?,
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
            max_entries: options.max_tenant_entries?,
        },
        13 => RefusalReason::Rebuilding,
        14 => RefusalReason::LogFull {
            max_log_bytes: options.max_log_bytes?,
        },
        _ => return None,
    })
}
