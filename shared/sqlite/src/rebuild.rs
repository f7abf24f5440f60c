//! Puts the entries of a period into another order.

use leaderboard_core::{Entry, Layout, Metadata, StoreError, Values};

use crate::bulk;
use crate::connection::{Connection, Value};
use crate::entries::{self, entry_columns};
use crate::periods::Found;
use crate::row::{Cells, stored};
use crate::store::Session;
use crate::tuples;

/// Entries read at once.
const READ_AT_ONCE: u64 = 512;

/// Gives every entry of a period the key it has by `layout`. Columns are matched by name; a new one is 0.
pub(crate) async fn rebuild<C: Connection>(
    session: &Session<'_, C>,
    period: &Found,
    layout: &Layout,
) -> Result<(), StoreError> {
    // In the order of players, which the new keys do not disturb.
    const NEXT: &str = concat!(
        "SELECT hidden, ",
        entry_columns!(),
        " FROM entries WHERE period = ?1 AND player > ?2 ORDER BY player LIMIT ?3"
    );
    let mut after = String::new();
    loop {
        let parameters = [
            Value::Integer(period.row),
            Value::Text(&after),
            Value::Integer(stored(READ_AT_ONCE)),
        ];
        let rows = session.rows(NEXT, &parameters).await?;
        let mut changed = Vec::with_capacity(rows.len());
        for row in rows {
            let mut cells = Cells::from(row);
            let hidden = cells.flag("hidden")?;
            changed.push((hidden, entries::stored_entry(&period.layout, &mut cells)?.entry));
        }
        let Some((_, last)) = changed.last() else {
            break;
        };
        after = last.player.as_str().to_owned();
        save(session, period, layout, &changed).await?;
    }
    tuples::recount(session, period.row, layout).await
}

async fn save<C: Connection>(
    session: &Session<'_, C>,
    period: &Found,
    layout: &Layout,
    changed: &[(bool, Entry)],
) -> Result<(), StoreError> {
    let keys: Vec<_> = changed
        .iter()
        .map(|(_, entry)| {
            let values = matched(&period.layout, layout, &entry.values);
            layout.key(&values, entry.reached_at, &entry.player)
        })
        .collect();
    let parameters: Vec<_> = changed
        .iter()
        .zip(&keys)
        .map(|((hidden, entry), key)| {
            let metadata = entry.metadata.as_ref().map(Metadata::as_json_text);
            [
                Value::Integer(period.row),
                Value::Text(entry.player.as_str()),
                Value::Blob(key.as_bytes()),
                Value::Integer(i64::from(*hidden)),
                Value::Integer(i64::from(entry.attempts)),
                metadata.map_or(Value::Null, Value::Text),
            ]
        })
        .collect();
    bulk::insert(
        session,
        "INSERT INTO entries (period, player, order_key, hidden, attempts, metadata) VALUES ",
        " ON CONFLICT (period, player) DO UPDATE SET order_key = excluded.order_key",
        &parameters,
    )
    .await
}

/// The values for the new columns.
fn matched(old: &Layout, new: &Layout, values: &Values) -> Values {
    let value_of = |name: &str| {
        let named = old.columns.iter().zip(values.as_slice());
        let mut found = named.filter(|(column, _)| column.name() == name);
        found.next().map_or(0, |(_, value)| *value)
    };
    Values::new(new.columns.iter().map(|column| value_of(column.name())).collect())
}
