//! Hidden players.

use leaderboard_core::codec::encode_event;
use leaderboard_core::{Event, EventBody, LeaderboardId, PlayerId, StoreError, TenantId, Timestamp};

use crate::answer::{Answer, corrupt};
use crate::connection::Connection;
use crate::keys::{self, BoardKeys};
use crate::script::{Call, HIDE};

/// How many leaderboards are looked up in one command.
const BOARDS_PER_COMMAND: usize = 1000;

/// Shows or hides a player. The tenant's set comes first: scores that arrive from then on follow it, and what
/// is there already is brought in line leaderboard by leaderboard.
pub(crate) async fn show<C: Connection>(
    connection: &C,
    tenant: &TenantId,
    player: &PlayerId,
    shown: bool,
    at: Timestamp,
) -> Result<(), StoreError> {
    let change = if shown { "SREM" } else { "SADD" };
    let set = keys::hidden_players(tenant);
    connection.command(change, &[&set, player.as_bytes()]).await?;
    let body = if shown {
        EventBody::Restored {
            player: player.clone(),
        }
    } else {
        EventBody::Hidden {
            player: player.clone(),
        }
    };
    let event = encode_event(&Event {
        recorded_at: at,
        body,
    });
    let mut after = None;
    loop {
        let boards = board_ids(connection, tenant, after.as_ref()).await?;
        for board in &boards {
            let names = BoardKeys::new(tenant, board);
            let mut call = Call::on([set.clone(), names.configuration(), names.log(), names.periods()]);
            call.bytes(player.as_bytes());
            call.flag(!shown);
            call.bytes(event.as_slice());
            for prefix in names.period_prefixes() {
                call.bytes(prefix);
            }
            HIDE.run(connection, &call).await?;
        }
        if boards.len() < BOARDS_PER_COMMAND {
            return Ok(());
        }
        after = boards.last().cloned();
    }
}

/// The tenant's leaderboards after `after`, at most [`BOARDS_PER_COMMAND`].
async fn board_ids<C: Connection>(
    connection: &C,
    tenant: &TenantId,
    after: Option<&LeaderboardId>,
) -> Result<Vec<LeaderboardId>, StoreError> {
    let from = after.map_or_else(|| "-".to_owned(), |id| format!("({id}"));
    let limit = BOARDS_PER_COMMAND.to_string();
    let key = keys::boards(tenant);
    let arguments: [&[u8]; 7] = [
        &key,
        from.as_bytes(),
        b"+",
        b"BYLEX",
        b"LIMIT",
        b"0",
        limit.as_bytes(),
    ];
    let mut answer = Answer::new(connection.command("ZRANGE", &arguments).await?);
    let mut ids = Vec::new();
    while !answer.is_empty() {
        let id = String::from_utf8(answer.bytes()?).map_err(corrupt)?;
        ids.push(LeaderboardId::new(id).map_err(corrupt)?);
    }
    Ok(ids)
}
