//! The keys and arguments of `submit.lua`.

use std::collections::BTreeMap;

use leaderboard_core::codec::{
    BANNED_FLAG, KEPT_FLAG, METADATA_FLAG, SUBMITTED_FLAGS_AT, SUBMITTED_V2, encode_event, encode_layout,
};
use leaderboard_core::ports::{
    ANNOUNCEMENT_WINDOW_MS, ChargeRequest, IDEMPOTENCY_MS, Overdraft, RankDetail, SubmitOptions,
};
use leaderboard_core::{
    Event, EventBody, LateScores, Layout, LeaderboardId, Limits, Period, PeriodId, PreparedSubmission,
    SORTABLE_BYTES, Status, Target, TenantId, Ties, Timestamp, encode_sortable,
};

use crate::keys::{self, LeaderboardKeys};
use crate::packing::{descending_bits, pack_bounds, pack_metadata};
use crate::script::ScriptCall;
use crate::{announcements, entry_counts, rate_limits};

/// The length of a record's id in the size that the script gets: the script adds the actual length itself.
const WITHOUT_ID: usize = 0;

/// One call of [`Scores::submit_with_options`](leaderboard_core::ports::Scores::submit_with_options), or the part of a call that
/// one command applies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SubmitCall<'a> {
    pub(crate) submissions: &'a [PreparedSubmission],
    pub(crate) options: &'a SubmitOptions,
    /// The charge; `None` if there is nothing to charge.
    pub(crate) charge_request: Option<&'a ChargeRequest>,
}

impl<'a> SubmitCall<'a> {
    pub(crate) fn new(submissions: &'a [PreparedSubmission], options: &'a SubmitOptions) -> Self {
        let charge_request = &options.charge_request;
        Self {
            submissions,
            options,
            charge_request: (*charge_request != ChargeRequest::default()).then_some(charge_request),
        }
    }

    /// Returns the number of targets of all submissions.
    pub(crate) fn count_targets(&self) -> usize {
        self.submissions
            .iter()
            .map(|submission| submission.targets.len())
            .sum()
    }

    /// Returns the size of the metadata of all submissions.
    pub(crate) fn count_metadata_bytes(&self) -> usize {
        let metadata = self
            .submissions
            .iter()
            .filter_map(|submission| submission.metadata.as_ref());
        metadata.map(|metadata| metadata.as_json_text().len()).sum()
    }
}

/// Returns whether one command can apply calls with these options: only the charges may differ.
pub(crate) fn can_share_command(one: &SubmitOptions, other: &SubmitOptions) -> bool {
    one.ranks == other.ranks
        && one.max_tenant_entries == other.max_tenant_entries
        && one.max_log_bytes == other.max_log_bytes
        && one.announce_on == other.announce_on
}

/// Builds the call of `submit.lua` for a group of calls that [share a command](can_share_command). Its keys and arguments, from
/// front to back: the values for the whole group; each period; each call with its charges and its submissions.
pub(crate) fn build_call(tenant: &TenantId, options: &SubmitOptions, calls: &[SubmitCall<'_>]) -> ScriptCall {
    let [bans, .., bans_state] = keys::bans(tenant);
    let submissions = || calls.iter().flat_map(|call| call.submissions);
    let period_refs = PeriodRefs::collect(submissions());
    let now = submissions()
        .map(|submission| submission.recorded_at.as_unix_ms())
        .max();
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
    call.add_option(now);
    call.add_option(options.max_log_bytes);
    call.add_bytes(options.announce_on.as_deref().unwrap_or_default());
    call.add_bytes(announcements::begin_message(tenant));
    call.add_text(&ANNOUNCEMENT_WINDOW_MS);
    call.add_option(options.max_tenant_entries);
    call.add_text(&period_refs.first_targets.len());
    call.add_text(&calls.len());
    if options.max_tenant_entries.is_some() {
        entry_counts::add_leaderboard_keys(&mut call, tenant);
    }
    for target in &period_refs.first_targets {
        add_period_ref(&mut call, tenant, target);
    }
    for one in calls {
        call.add_flag(one.charge_request.is_some());
        call.add_text(&one.submissions.len());
        if let Some(charge_request) = one.charge_request {
            rate_limits::add_charges(&mut call, tenant, charge_request, Overdraft::ByTake);
        }
        for submission in one.submissions {
            add_submission(&mut call, &period_refs, submission);
        }
    }
    call
}

fn add_submission(call: &mut ScriptCall, period_refs: &PeriodRefs<'_>, submission: &PreparedSubmission) {
    call.add_bytes(submission.player.as_bytes());
    call.add_bytes(pack_metadata(submission.metadata.as_ref()));
    call.add_text(&submission.recorded_at.as_unix_ms());
    call.add_bytes(submission.record_name().as_deref().unwrap_or_default());
    call.add_bytes(submission.fingerprint);
    call.add_text(&submission.targets.len());
    for target in &submission.targets {
        add_target(call, period_refs, submission, target);
    }
}

/// The different periods that submissions go to. The command describes each of them once.
struct PeriodRefs<'a> {
    first_targets: Vec<&'a Target>,
    numbers: BTreeMap<PeriodRefKey<'a>, usize>,
}

/// Leaderboard, version of its configuration, period.
type PeriodRefKey<'a> = (&'a LeaderboardId, u64, &'a PeriodId);

fn period_ref_key(target: &Target) -> PeriodRefKey<'_> {
    (
        &target.leaderboard.value.id,
        target.leaderboard.version,
        &target.period.id,
    )
}

impl<'a> PeriodRefs<'a> {
    fn collect(submissions: impl Iterator<Item = &'a PreparedSubmission>) -> Self {
        let mut period_refs = Self {
            first_targets: Vec::new(),
            numbers: BTreeMap::new(),
        };
        for target in submissions.flat_map(|submission| &submission.targets) {
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
    let board = &target.leaderboard.value;
    let layout = board.layout();
    let leaderboard_keys = LeaderboardKeys::new(tenant, &board.id);
    call.add_keys([leaderboard_keys.configuration(), leaderboard_keys.log()]);
    call.add_keys(leaderboard_keys.idempotency_records());
    call.add_keys([leaderboard_keys.periods(), leaderboard_keys.announced()]);
    call.add_keys(leaderboard_keys.period(&target.period.id));
    call.add_text(&board.id);
    call.add_text(&target.leaderboard.version);
    call.add_bytes(encode_layout(&layout));
    call.add_text(&descending_bits(&layout));
    add_limits(call, &board.limits);
    call.add_text(&target.period.id);
    call.add_text(&pack_bounds(&target.period));
    add_start(call, &target.period);
    call.add_option(target.expires_at.map(Timestamp::as_unix_ms));
    let [meta_prefix, ..] = leaderboard_keys.period_prefixes();
    call.add_bytes(meta_prefix);
    call.add_text(&target.record_weight(WITHOUT_ID));
    call.add_flag(board.standings.late_scores == LateScores::Reopen);
}

/// Adds the score of a period in the list of periods.
pub(crate) fn add_start(call: &mut ScriptCall, period: &Period) {
    match period.starts_at {
        Some(start) => call.add_text(&start.as_unix_ms()),
        None => call.add_text("-inf"),
    }
}

fn add_limits(call: &mut ScriptCall, limits: &Limits) {
    let encode = |bound: Option<[u8; SORTABLE_BYTES]>| bound.map_or_else(Vec::new, |int| int.to_vec());
    call.add_bytes(encode(limits.min.map(encode_sortable)));
    call.add_bytes(encode(limits.max.map(encode_sortable)));
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
    let layout = target.leaderboard.value.layout();
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
    encode_sortable(if layout.ties == Ties::Latest { !ms } else { ms })
}
