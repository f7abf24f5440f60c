//! Reads of one period, each one command.

use leaderboard_core::access::Caller;
use leaderboard_core::codec::decode_layout;
use leaderboard_core::ports::{Page, PageFrom, Place, Position, Positions, ReadError, Sample, Standings};
use leaderboard_core::{Layout, OrderKey, PlayerId, RankedEntry, StoreError};

use crate::answer::{Answer, corrupt};
use crate::bans;
use crate::connection::Connection;
use crate::keys::{self, BoardKeys};
use crate::packing::{WindowStart, unpack_entry, unpack_window, widen_key};
use crate::script::{AROUND, Call, PAGE, POSITIONS, SAMPLE, STANDINGS, Script};

/// How often a read is sent because bans were yet to be applied to the leaderboard.
const MAX_TRIES: u32 = 4;

/// What every read of a period answers first.
struct Head {
    layout: Option<Layout>,
    version: u64,
    count: u64,
}

/// A call on a period, as `reading.lua` expects it.
pub(crate) fn call_on(place: &Place<'_>) -> Call {
    let names = BoardKeys::new(place.tenant, &place.board.value.id);
    let mut call = Call::on([names.configuration()]);
    call.keys(names.period(place.period));
    call.keys([keys::bans_state(place.tenant)]);
    call.text(&format_args!(
        "{} {}",
        place.board.version,
        place.now.as_unix_ms()
    ));
    call
}

/// Runs a script that begins with the configuration's version, and takes the word that says whether it is
/// still the current one. A leaderboard to which bans are yet to be applied is brought up to date first; where that cannot
/// be done now, it is read as it is.
pub(crate) async fn run_on<C: Connection>(
    connection: &C,
    script: &Script,
    place: &Place<'_>,
    mut call: Call,
) -> Result<Answer, ReadError> {
    for tries in 1..=MAX_TRIES {
        let mut answer = Answer::new(script.run(connection, &call).await?);
        match answer.count()? {
            0 => return Err(ReadError::StaleConfiguration),
            1 => return Ok(answer),
            _ => {}
        }
        let boards = [&place.board.value.id];
        let applied = bans::apply(connection, place.tenant, &boards, place.now).await;
        if tries + 1 >= MAX_TRIES || !matches!(applied, Ok(true)) {
            call.replace_first(&format!("{} ", place.board.version));
        }
    }
    Err(StoreError::Unavailable("bans are still being applied".into()).into())
}

async fn read<C: Connection>(
    connection: &C,
    script: &Script,
    place: &Place<'_>,
    call: Call,
) -> Result<(Head, Answer), ReadError> {
    let mut answer = run_on(connection, script, place, call).await?;
    let layout = answer.bytes()?;
    let layout = if layout.is_empty() {
        None
    } else {
        Some(decode_layout(&layout).map_err(corrupt)?)
    };
    let head = Head {
        layout,
        version: answer.number()?,
        count: answer.count()?,
    };
    Ok((head, answer))
}

/// The player who asks, if it is one, as the scripts know who is shown.
fn own_bytes(caller: &Caller) -> &[u8] {
    caller.own_player().map_or(&[], |own| own.as_bytes())
}

/// A stretch of the list.
pub(crate) async fn page<C: Connection>(
    connection: &C,
    place: &Place<'_>,
    from: &PageFrom,
    limit: u32,
    caller: &Caller,
) -> Result<Page, ReadError> {
    let mut call = call_on(place);
    let (side, key): (_, Option<&OrderKey>) = match from {
        PageFrom::Top => ("top", None),
        PageFrom::After(key) => ("after", Some(key)),
        PageFrom::Before(key) => ("before", Some(key)),
    };
    call.text(side);
    call.bytes(key.map_or(&[][..], OrderKey::as_bytes));
    call.text(&limit);
    call.bytes(own_bytes(caller));
    let (head, answer) = read(connection, &PAGE, place, call).await?;
    Ok(window(head, answer)?)
}

/// A window with a player's entry in the middle.
pub(crate) async fn around<C: Connection>(
    connection: &C,
    place: &Place<'_>,
    player: &PlayerId,
    limit: u32,
    caller: &Caller,
) -> Result<Option<Page>, ReadError> {
    let mut call = call_on(place);
    call.bytes(player.as_bytes());
    call.text(&limit);
    let shown = caller.own_player().unwrap_or(player);
    call.bytes(if caller.sees_hidden(shown) {
        shown.as_bytes()
    } else {
        &[]
    });
    let (head, answer) = read(connection, &AROUND, place, call).await?;
    if answer.is_empty() {
        return Ok(None);
    }
    Ok(Some(window(head, answer)?))
}

/// The rest of an answer that ends with a window.
fn window(head: Head, mut answer: Answer) -> Result<Page, StoreError> {
    let Some(layout) = head.layout else {
        return Ok(Page {
            layout: None,
            version: head.version,
            count: head.count,
            entries: Vec::new(),
            more_before: false,
            more_after: false,
        });
    };
    let total = answer.count()?;
    let start = WindowStart {
        index: answer.count()?,
        rank: answer.count()?,
    };
    let mut rows = Vec::with_capacity(answer.left() / 2);
    while !answer.is_empty() {
        rows.push((answer.bytes()?, answer.bytes()?));
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

/// Some players' entries.
pub(crate) async fn standings<C: Connection>(
    connection: &C,
    place: &Place<'_>,
    players: &[PlayerId],
    caller: &Caller,
) -> Result<Standings, ReadError> {
    let mut call = call_on(place);
    call.bytes(own_bytes(caller));
    for player in players {
        call.bytes(player.as_bytes());
        call.flag(caller.sees_hidden(player));
    }
    let (head, answer) = read(connection, &STANDINGS, place, call).await?;
    let (entries, hidden) = match &head.layout {
        Some(layout) => ranked(layout, answer)?,
        None => (Vec::new(), 0),
    };
    // A player who asks is counted by the script.
    let alone = u64::from(players.len() == 1 && hidden == 1 && caller.is_server());
    Ok(Standings {
        layout: head.layout,
        version: head.version,
        count: head.count.saturating_add(alone),
        entries,
    })
}

/// The entries found, best first, each player once, and how many of them are hidden.
fn ranked(layout: &Layout, mut answer: Answer) -> Result<(Vec<RankedEntry>, usize), StoreError> {
    let mut rows = Vec::new();
    while !answer.is_empty() {
        let (rank, hidden) = (answer.count()?, answer.count()?);
        rows.push((answer.bytes()?, rank, hidden, answer.bytes()?));
    }
    rows.sort();
    rows.dedup();
    let hidden = rows.iter().filter(|(_, _, hidden, _)| *hidden == 1).count();
    let entries = rows.iter().map(|(key, rank, _, extra)| {
        let entry = unpack_entry(layout, &widen_key(layout, key)?, extra)?;
        Ok(RankedEntry { rank: *rank, entry })
    });
    Ok((entries.collect::<Result<_, StoreError>>()?, hidden))
}

/// The values at fractions of the order.
pub(crate) async fn sample<C: Connection>(
    connection: &C,
    place: &Place<'_>,
    fractions: &[u16],
) -> Result<Sample, ReadError> {
    let mut call = call_on(place);
    for fraction in fractions {
        call.text(fraction);
    }
    let (head, mut answer) = read(connection, &SAMPLE, place, call).await?;
    let mut values = Vec::with_capacity(answer.left());
    if let Some(layout) = &head.layout {
        while !answer.is_empty() {
            let key = widen_key(layout, &answer.bytes()?)?;
            let (tuple, ..) = layout.parse(&key).ok_or_else(|| corrupt("order key"))?;
            values.push(tuple);
        }
    }
    Ok(Sample {
        layout: head.layout,
        version: head.version,
        count: head.count,
        values,
    })
}

/// Where tuples would stand.
pub(crate) async fn positions<C: Connection>(
    connection: &C,
    place: &Place<'_>,
    tuples: &[Vec<u8>],
) -> Result<Positions, ReadError> {
    let mut call = call_on(place);
    for tuple in tuples {
        call.bytes(tuple.as_slice());
    }
    let (head, mut answer) = read(connection, &POSITIONS, place, call).await?;
    let mut positions = Vec::with_capacity(tuples.len());
    for _ in tuples {
        positions.push(Position {
            better: answer.count()?,
            equal: answer.count()?,
            better_tuples: answer.count()?,
        });
    }
    Ok(Positions {
        version: head.version,
        count: head.count,
        positions,
    })
}
