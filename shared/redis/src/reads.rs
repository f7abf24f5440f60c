//! What the reads of a period share. Each read is one command.

use leaderboard_core::access::Caller;
use leaderboard_core::codec::decode_layout;
use leaderboard_core::ports::{Page, PeriodRef, ReadError, ReadSource};
use leaderboard_core::{Layout, RankedEntry, StoreError};

use crate::connection::Connection;
use crate::keys::{self, LeaderboardKeys};
use crate::packing::{WindowStart, unpack_entry, unpack_window, widen_key};
use crate::replica::run_read_on_replica;
use crate::reply_reader::{ReplyReader, corrupt};
use crate::script::{Script, ScriptCall};
use crate::server::Server;
use crate::{RedisStore, bans};

/// How often a read is sent while the leaderboard has pending bans.
const MAX_TRIES: u32 = 4;

/// The first values in the reply to every read of a period.
pub(crate) struct ReadHead {
    pub(crate) layout: Option<Layout>,
    pub(crate) version: u64,
    pub(crate) count: u64,
}

/// Starts a call on a period with the keys and the first argument of `period_reads.lua`.
pub(crate) fn start_call(period_ref: &PeriodRef<'_>) -> ScriptCall {
    let leaderboard_keys = LeaderboardKeys::new(period_ref.tenant, &period_ref.leaderboard.value.id);
    let mut call = ScriptCall::with_keys([leaderboard_keys.configuration()]);
    call.add_keys(leaderboard_keys.period(period_ref.period));
    call.add_keys([keys::bans_state(period_ref.tenant)]);
    call.add_text(&format_args!(
        "{} {}",
        period_ref.leaderboard.version,
        period_ref.now.as_unix_ms()
    ));
    call
}

/// Runs a script that begins with `open_read`, and reads its code. If the leaderboard has pending bans, this function applies
/// them and runs the script again; if they cannot be applied now, the script ignores them.
///
/// # Errors
/// [`ReadError::StaleConfiguration`] when the configuration has another version.
pub(crate) async fn run_read<C: Connection>(
    server: &Server<C>,
    script: &Script,
    period_ref: &PeriodRef<'_>,
    mut call: ScriptCall,
) -> Result<ReplyReader, ReadError> {
    for tries in 1..=MAX_TRIES {
        let mut reply = script.run(server, &call).await?;
        match reply.read_count()? {
            0 => return Err(ReadError::StaleConfiguration),
            1 => return Ok(reply),
            _ => {}
        }
        let boards = [&period_ref.leaderboard.value.id];
        let applied = bans::apply_bans(server, period_ref.tenant, &boards, period_ref.now).await;
        if tries + 1 >= MAX_TRIES || !matches!(applied, Ok(true)) {
            call.replace_first_argument(&format!("{} ", period_ref.leaderboard.version));
        }
    }
    Err(StoreError::Unavailable("bans are still being applied".into()).into())
}

/// Runs a read of entries on the server that the caller chose, and reads the first values of the reply.
///
/// # Errors
/// As [`run_read`]; [`ReadError::Replica`].
pub(crate) async fn run_and_read_head<C: Connection>(
    store: &RedisStore<C>,
    script: &Script,
    period_ref: &PeriodRef<'_>,
    call: ScriptCall,
) -> Result<(ReadHead, ReplyReader), ReadError> {
    let mut reply = match (period_ref.source, &store.replica) {
        (ReadSource::Replica(needed), Some(replica)) => {
            run_read_on_replica(replica, script, period_ref, needed, call).await?
        }
        _ => run_read(&store.server, script, period_ref, call).await?,
    };
    let head = ReadHead {
        layout: read_layout(&mut reply)?,
        version: reply.read_number()?,
        count: reply.read_count()?,
    };
    Ok((head, reply))
}

/// Reads the layout of a period; `None` if the period has never had an entry.
pub(crate) fn read_layout(reply: &mut ReplyReader) -> Result<Option<Layout>, StoreError> {
    let layout = reply.read_bytes()?;
    let layout = Some(layout).filter(|layout| !layout.is_empty());
    layout
        .map(|layout| decode_layout(&layout).map_err(corrupt))
        .transpose()
}

/// Returns the bytes of the player who reads; empty for another caller. The scripts list this player's banned entry.
pub(crate) fn own_player_bytes(caller: &Caller) -> &[u8] {
    caller.own_player().map_or(&[], |own| own.as_bytes())
}

/// Reads the rest of a reply that ends with a window.
pub(crate) fn read_window(head: ReadHead, mut reply: ReplyReader) -> Result<Page, StoreError> {
    let Some(layout) = head.layout else {
        return Ok(Page {
            version: head.version,
            count: head.count,
            ..Page::default()
        });
    };
    let total = reply.read_count()?;
    let start = WindowStart {
        index: reply.read_count()?,
        rank: reply.read_count()?,
    };
    let mut rows = Vec::with_capacity(reply.remaining() / 2);
    while !reply.is_empty() {
        rows.push((reply.read_bytes()?, reply.read_bytes()?));
    }
    let entries = unpack_window(&layout, start, &rows)?;
    let end = start.index.saturating_add(entries.len() as u64);
    Ok(Page {
        layout: Some(layout),
        version: head.version,
        count: total,
        entries,
        more_before: start.index > 0,
        more_after: end < total,
    })
}

/// Reads entries, sorts them best first and keeps each player once. Returns the entries and how many of them are banned.
pub(crate) fn read_ranked_entries(
    layout: &Layout,
    mut reply: ReplyReader,
) -> Result<(Vec<RankedEntry>, usize), StoreError> {
    let mut rows = Vec::new();
    while !reply.is_empty() {
        let (rank, banned) = (reply.read_count()?, reply.read_count()?);
        rows.push((reply.read_bytes()?, rank, banned, reply.read_bytes()?));
    }
    rows.sort();
    rows.dedup();
    let banned = rows.iter().filter(|(_, _, banned, _)| *banned == 1).count();
    let entries = rows.iter().map(|(key, rank, _, extra)| {
        let entry = unpack_entry(layout, &widen_key(layout, key)?, extra)?;
        Ok(RankedEntry { rank: *rank, entry })
    });
    Ok((entries.collect::<Result<_, StoreError>>()?, banned))
}
