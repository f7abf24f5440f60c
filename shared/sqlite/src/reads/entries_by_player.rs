//! Entries of given players.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{PeriodRef, PlayerEntries, ReadError};
use leaderboard_core::{PlayerId, RankedEntry, StoreError};

use super::find_current;
use super::period_list::PeriodList;
use crate::counting::{self, counted_for_ranks, rank_bound};
use crate::entries::{self, KeyedEntry, entry_columns};
use crate::periods::PeriodRow;
use crate::row::Cells;
use crate::session::Session;

/// Returns the entries of these players that `caller` sees, best first.
pub(crate) fn read(
    session: &Session<'_>,
    period_ref: &PeriodRef<'_>,
    players: &[PlayerId],
    caller: &Caller,
) -> Result<PlayerEntries, ReadError> {
    let Some(period) = find_current(session, period_ref)? else {
        return Ok(PlayerEntries::default());
    };
    let found = find_visible(session, &period, players, caller)?;
    let list = PeriodList::new(session, period, caller.own_player())?;
    let period = &list.period;
    let bounds: Vec<&[u8]> = found
        .iter()
        .map(|(placed, _)| rank_bound(period, &placed.key))
        .collect();
    let better = counting::count_before_each(session, counted_for_ranks(period), period, &bounds)?;
    // The list already counts a banned player who asks. A server's count adds the banned player that it asks for.
    let alone = match (players, found.as_slice()) {
        ([_], [(_, true)]) => u64::from(caller.is_server()),
        _ => 0,
    };
    let mut entries = Vec::with_capacity(found.len());
    for ((placed, _), better) in found.into_iter().zip(better) {
        let added = list.count_added_before(session, &placed.key)?;
        entries.push(RankedEntry {
            rank: better.saturating_add(added).saturating_add(1),
            entry: placed.entry,
        });
    }
    Ok(PlayerEntries {
        version: list.period.version,
        count: list.count().saturating_add(alone),
        layout: Some(list.period.layout),
        entries,
    })
}

/// Returns the entries of these players that `caller` sees, best first, and whether each player is banned.
pub(super) fn find_visible(
    session: &Session<'_>,
    period: &PeriodRow,
    players: &[PlayerId],
    caller: &Caller,
) -> Result<Vec<(KeyedEntry, bool)>, StoreError> {
    const FIND: &str = concat!(
        "SELECT hidden, ",
        entry_columns!(),
        " FROM entries WHERE period = ?1 AND player IN (SELECT value FROM json_each(?2)) ORDER BY order_key"
    );
    let names = json_array(players);
    let mut found = Vec::new();
    for row in session.rows(FIND, &[period.row.into(), (&names).into()])? {
        let mut cells = Cells::from(row);
        let banned = cells.flag("hidden")?;
        let placed = entries::read_entry(&period.layout, &mut cells)?;
        if !banned || caller.sees_banned(&placed.entry.player) {
            found.push((placed, banned));
        }
    }
    Ok(found)
}

/// Returns the names as a JSON array. Names contain no control characters, so only two characters need an escape.
pub(crate) fn json_array(players: &[PlayerId]) -> String {
    let mut json = String::from("[");
    for player in players {
        if json.len() > 1 {
            json.push(',');
        }
        json.push('"');
        for character in player.as_str().chars() {
            if matches!(character, '"' | '\\') {
                json.push('\\');
            }
            json.push(character);
        }
        json.push('"');
    }
    json.push(']');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_in_the_json_array() {
        let players = ["a", "say \"hi\"", "back\\slash", "日本"].map(|name| PlayerId::new(name).unwrap());
        assert_eq!(json_array(&players), r#"["a","say \"hi\"","back\\slash","日本"]"#);
        assert_eq!(json_array(&[]), "[]");
    }
}
