//! The [`Imports`] port. What an import has written is under the keys that it will have, except for the configuration: without it,
//! there is no leaderboard.

use leaderboard_core::codec::{encode_layout, encode_leaderboard};
use leaderboard_core::ports::{
    Expected, IDEMPOTENCY_MS, ImportRefusal, ImportStep, ImportedPart, Imports, NewImport,
    SNAPSHOT_OVERHEAD_BYTES, StoredImport, StoredPeriod,
};
use leaderboard_core::{LeaderboardId, StoreError, TenantId, Timestamp, event_weight};

use crate::connection::Connection;
use crate::entry_repair::add_packed_entry;
use crate::keys::{self, LeaderboardKeys};
use crate::leaderboards::build_delete_call;
use crate::packing::pack_bounds;
use crate::reply_reader::{ReplyReader, corrupt};
use crate::script::ScriptCall;
use crate::scripts::{BEGIN_IMPORT, DISCARD_IMPORT, FINISH_IMPORT, WRITE_IMPORT};
use crate::standings::{pack_claim, pack_freeze, parse_instant};
use crate::{RedisStore, entry_counts, submit_call};

impl<C: Connection> Imports for RedisStore<C> {
    async fn find_import(&self, tenant: &TenantId) -> Result<Option<StoredImport>, StoreError> {
        let key = keys::import(tenant);
        let mut reply = self
            .server
            .send_command("HMGET", &[&key, b"id", b"state", b"at"])
            .await?;
        let (id, state) = (reply.read_optional_bytes()?, reply.read_optional_bytes()?);
        // An earlier version stored no instant.
        let written_ms = reply.read_optional_bytes()?.unwrap_or_else(|| b"0".to_vec());
        let written_ms = String::from_utf8(written_ms).map_err(corrupt)?;
        let Some((id, state)) = id.zip(state) else {
            return Ok(None);
        };
        Ok(Some(StoredImport {
            leaderboard: parse_id(id)?,
            state,
            written_at: parse_instant(&written_ms)?,
        }))
    }

    async fn begin_import(&self, import: &NewImport<'_>) -> Result<Result<(), ImportRefusal>, StoreError> {
        let (tenant, board) = (import.tenant, import.leaderboard);
        let leaderboard_keys = LeaderboardKeys::new(tenant, &board.id);
        let mut call = ScriptCall::with_keys([
            keys::import(tenant),
            leaderboard_keys.configuration(),
            keys::leaderboards(tenant),
        ]);
        call.add_keys(keys::entry_counts(tenant));
        call.add_keys([
            keys::deleted_leaderboards(tenant),
            leaderboard_keys.periods(),
            keys::bans_state(tenant),
        ]);
        call.add_text(&board.id);
        call.add_bytes(encode_leaderboard(board));
        call.add_bytes(import.state);
        call.add_text(&board.log.keep_events);
        call.add_text(&board.log.keep_ms());
        call.add_option(import.max_leaderboards);
        call.add_text(&import.at.as_unix_ms());
        for prefix in leaderboard_keys.period_prefixes() {
            call.add_bytes(prefix);
        }
        let mut reply = BEGIN_IMPORT.run(&self.server, &call).await?;
        let done = read_refusal(&mut reply)?;
        if done == Err(ImportRefusal::Unfinished) {
            self.server.yield_to_others().await;
        }
        Ok(done)
    }

    async fn write_import(&self, step: &ImportStep<'_>) -> Result<Result<(), ImportRefusal>, StoreError> {
        let has_entries = step.parts.iter().any(is_entry);
        if step.max_tenant_entries.is_some() && has_entries {
            entry_counts::complete_count(&self.server, step.tenant).await?;
        }
        let call = build_write_call(step);
        read_refusal(&mut WRITE_IMPORT.run(&self.server, &call).await?)
    }

    async fn finish_import(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        expected: &[u8],
    ) -> Result<Result<(), ImportRefusal>, StoreError> {
        let mut call = ScriptCall::with_keys([
            keys::import(tenant),
            LeaderboardKeys::new(tenant, leaderboard).configuration(),
            keys::leaderboards(tenant),
            keys::last_version(tenant),
        ]);
        call.add_text(leaderboard);
        call.add_bytes(expected);
        read_refusal(&mut FINISH_IMPORT.run(&self.server, &call).await?)
    }

    async fn discard_import(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        written_until: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let mut call = build_delete_call(tenant, leaderboard, keys::import(tenant), Expected::Any);
        call.add_option(written_until.map(Timestamp::as_unix_ms));
        let mut reply = DISCARD_IMPORT.run(&self.server, &call).await?;
        Ok(reply.read_bytes()? == b"ok" && reply.read_count()? == 1)
    }
}

fn parse_id(id: Vec<u8>) -> Result<LeaderboardId, StoreError> {
    LeaderboardId::new(String::from_utf8(id).map_err(corrupt)?).map_err(corrupt)
}

/// Reads the reply of a script about an import.
fn read_refusal(reply: &mut ReplyReader) -> Result<Result<(), ImportRefusal>, StoreError> {
    Ok(match reply.read_bytes()?.as_slice() {
        b"ok" => Ok(()),
        b"under way" => Err(ImportRefusal::UnderWay(parse_id(reply.read_bytes()?)?)),
        b"exists" => Err(ImportRefusal::LeaderboardExists),
        b"full" => Err(ImportRefusal::TooManyLeaderboards),
        b"unfinished" => Err(ImportRefusal::Unfinished),
        b"changed" => Err(ImportRefusal::Changed),
        b"entries" => Err(ImportRefusal::TooManyEntries),
        b"log" => Err(ImportRefusal::LogFull),
        _ => return Err(corrupt("reply about an import")),
    })
}

/// Builds the call of `write_import.lua`, which describes the keys and arguments.
fn build_write_call(step: &ImportStep<'_>) -> ScriptCall {
    let (tenant, board) = (step.tenant, step.leaderboard);
    let leaderboard_keys = LeaderboardKeys::new(tenant, board);
    let mut call = ScriptCall::with_keys([keys::import(tenant), keys::log_sizes(tenant)]);
    call.add_keys(keys::entry_counts(tenant));
    call.add_keys([
        leaderboard_keys.log(),
        leaderboard_keys.periods(),
        leaderboard_keys.snapshots(),
        leaderboard_keys.import_parts(),
    ]);
    call.add_text(board);
    call.add_bytes(step.expected);
    call.add_bytes(step.state);
    call.add_option(step.max_tenant_entries);
    call.add_option(step.max_log_bytes);
    call.add_text(&step.parts.iter().filter(|part| is_entry(part)).count());
    let weights = step.parts.iter().map(weigh_in_log);
    call.add_text(&weights.fold(0, u64::saturating_add));
    call.add_text(&step.at.as_unix_ms().div_euclid(IDEMPOTENCY_MS));
    call.add_text(&step.at.as_unix_ms());
    for prefix in leaderboard_keys.period_prefixes() {
        call.add_bytes(prefix);
    }
    for part in step.parts {
        add_part(&mut call, part);
    }
    call
}

fn is_entry(part: &ImportedPart) -> bool {
    matches!(part, ImportedPart::Entry(..))
}

/// Returns what a part adds to the weight of the tenant's logs. The parts of a snapshot weigh as soon as they are stored.
fn weigh_in_log(part: &ImportedPart) -> u64 {
    match part {
        ImportedPart::Event(event) => event_weight(event.bytes.len()),
        ImportedPart::SnapshotBytes(bytes) => bytes.len() as u64,
        ImportedPart::Snapshot(_) => SNAPSHOT_OVERHEAD_BYTES,
        ImportedPart::Period(_)
        | ImportedPart::Entry(..)
        | ImportedPart::Claim(..)
        | ImportedPart::Version(..) => 0,
    }
}

fn add_part(call: &mut ScriptCall, part: &ImportedPart) {
    match part {
        ImportedPart::Period(stored) => add_period(call, stored),
        ImportedPart::Entry(into, listed) => {
            call.add_text("e");
            call.add_text(&into.period);
            call.add_bytes(listed.entry.player.as_bytes());
            call.add_flag(listed.is_banned);
            add_packed_entry(call, &into.layout, &listed.entry);
        }
        ImportedPart::Claim(into, player, claim) => {
            call.add_text("c");
            call.add_text(&into.period);
            call.add_bytes(player.as_bytes());
            call.add_text(&pack_claim(claim));
        }
        ImportedPart::SnapshotBytes(bytes) => {
            call.add_text("b");
            call.add_bytes(bytes);
        }
        ImportedPart::Snapshot(summary) => {
            call.add_text("s");
            call.add_text(&summary.position);
            call.add_text(&summary.latest_at.as_unix_ms());
        }
        ImportedPart::Event(event) => {
            call.add_text("v");
            call.add_text(&event.position);
            call.add_bytes(&event.bytes);
        }
        ImportedPart::Version(period, version) => {
            call.add_text("n");
            call.add_text(period);
            call.add_text(version);
        }
    }
}

fn add_period(call: &mut ScriptCall, stored: &StoredPeriod) {
    call.add_text("p");
    call.add_text(&stored.period.id);
    call.add_bytes(encode_layout(&stored.layout));
    call.add_text(&pack_bounds(&stored.period));
    submit_call::add_start(call, &stored.period);
    call.add_option(stored.expires_at.map(Timestamp::as_unix_ms));
    call.add_text(&stored.version);
    call.add_option(stored.freeze.as_ref().map(pack_freeze));
    call.add_text(&stored.reopened);
}
