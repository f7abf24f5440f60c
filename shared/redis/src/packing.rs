//! The byte formats that only this crate and its scripts use: entries, outcomes, bounds.

use leaderboard_core::codec::{Reader, decode_layout};
use leaderboard_core::{
    Entry, Layout, LeaderboardId, Metadata, Order, Outcome, Period, PeriodId, PlayerId, Previous,
    RankedEntry, SORTABLE_BYTES, Status, StoreError, Ties, Timestamp, Values, decode_sortable,
    encode_sortable,
};

use crate::reply_reader::corrupt;

/// The byte before the metadata in a packed entry. It distinguishes empty metadata from no metadata.
const HAS_METADATA: u8 = 1;

/// Encodes metadata as it is in a packed entry.
pub(crate) fn pack_metadata(metadata: Option<&Metadata>) -> Vec<u8> {
    metadata.map_or_else(Vec::new, |metadata| {
        let mut bytes = vec![HAS_METADATA];
        bytes.extend_from_slice(metadata.as_json_text().as_bytes());
        bytes
    })
}

/// Decodes an order key with narrow integers (see `numbers.lua`) to the order key of the core.
pub(crate) fn widen_key(layout: &Layout, narrow: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut wide = Vec::with_capacity(narrow.len() + layout.tuple_bytes() + SORTABLE_BYTES);
    let mut rest = narrow;
    for _ in 0..=layout.columns.count() {
        let (int, after) = split_narrow_int(rest).ok_or_else(|| corrupt("order key"))?;
        wide.extend_from_slice(&int);
        rest = after;
    }
    wide.extend_from_slice(rest);
    Ok(wide)
}

/// Decodes the narrow integer at the front of `bytes`. Returns the wide integer and the remaining bytes.
fn split_narrow_int(bytes: &[u8]) -> Option<([u8; SORTABLE_BYTES], &[u8])> {
    let (code, rest) = bytes.split_first()?;
    let below = *code < 128;
    let length = usize::from(if below { 127 - code } else { code - 128 });
    let (digits, rest) = rest.split_at_checked(length)?;
    let mut int = [if below { u8::MAX } else { 0 }; SORTABLE_BYTES];
    let start = SORTABLE_BYTES.checked_sub(length)?;
    int.get_mut(start..)?.copy_from_slice(digits);
    Some((encode_sortable(i64::from_be_bytes(int)), rest))
}

/// Decodes an entry from its order key and its extra: the number of attempts as a varint, then the metadata.
pub(crate) fn unpack_entry(layout: &Layout, key: &[u8], extra: &[u8]) -> Result<Entry, StoreError> {
    let (values, reached_at, player) = layout.parse(key).ok_or_else(|| corrupt("order key"))?;
    let end = extra.iter().position(|byte| *byte < 0x80);
    let (attempts, metadata) = end
        .and_then(|end| extra.split_at_checked(end + 1))
        .ok_or_else(|| corrupt("attempts"))?;
    let attempts = Reader::new(attempts).unsigned().map_err(corrupt)?;
    Ok(Entry {
        player,
        values,
        reached_at,
        metadata: unpack_metadata(metadata)?,
        attempts: u32::try_from(attempts).map_err(corrupt)?,
    })
}

fn unpack_metadata(bytes: &[u8]) -> Result<Option<Metadata>, StoreError> {
    match bytes.split_first() {
        None => Ok(None),
        Some((&HAS_METADATA, text)) => {
            let text = std::str::from_utf8(text).map_err(corrupt)?;
            Metadata::from_json_text(text).map(Some).map_err(corrupt)
        }
        Some(_) => Err(corrupt("metadata")),
    }
}

/// The beginning of a window of the list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WindowStart {
    /// The number of entries before the window.
    pub(crate) index: u64,
    /// The rank of the window's first entry.
    pub(crate) rank: u64,
}

/// Decodes the entries of a window and computes their ranks from the first entry's rank. A row is an order key with narrow integers,
/// and an extra.
pub(crate) fn unpack_window(
    layout: &Layout,
    start: WindowStart,
    rows: &[(Vec<u8>, Vec<u8>)],
) -> Result<Vec<RankedEntry>, StoreError> {
    let mut ranked = Vec::with_capacity(rows.len());
    let mut rank = start.rank;
    let mut tuple_before: Option<Vec<u8>> = None;
    for (index, (key, extra)) in (start.index..).zip(rows) {
        let key = widen_key(layout, key)?;
        let tuple = key.get(..layout.tuple_bytes()).map(<[u8]>::to_vec);
        if tuple_before.is_some() && (tuple != tuple_before || has_unique_ranks(layout.ties)) {
            rank = if layout.ties == Ties::Dense {
                rank.saturating_add(1)
            } else {
                index.saturating_add(1)
            };
        }
        tuple_before = tuple;
        let entry = unpack_entry(layout, &key, extra)?;
        ranked.push(RankedEntry { rank, entry });
    }
    Ok(ranked)
}

/// Returns whether no two entries have the same rank.
fn has_unique_ranks(ties: Ties) -> bool {
    matches!(ties, Ties::Earliest | Ties::Latest)
}

/// Returns one bit for each column: 1 when the column descends. The lowest bit is the first column.
pub(crate) fn descending_bits(layout: &Layout) -> u8 {
    let bits = layout.columns.iter().enumerate();
    bits.filter(|(_, column)| column.order() == Order::Descending)
        .fold(0, |bits, (at, _)| bits | 1 << at)
}

const HAS_RANK: u8 = 1;
const HAS_PREVIOUS: u8 = 2;
/// An idempotency record of an earlier version has an outcome without a layout.
const HAS_LAYOUT: u8 = 4;

/// Decodes an outcome that `pack_outcome` in `submit.lua` has written: status, number of columns, the bits of descending columns,
/// flags, three int64 (version, rank, previous rank), the tuple, the previous tuple, the layout's length and bytes, the
/// period's id.
pub(crate) fn unpack_outcome(
    bytes: &[u8],
    leaderboard: LeaderboardId,
    player: PlayerId,
    replayed: bool,
) -> Result<Outcome, StoreError> {
    let short = || corrupt("outcome");
    let (&[status, columns, descending, flags], rest) = bytes.split_first_chunk().ok_or_else(short)?;
    let (version, rest) = split_unsigned(rest)?;
    let (rank, rest) = split_unsigned(rest)?;
    let (previous_rank, rest) = split_unsigned(rest)?;
    let (values, mut rest) = unpack_tuple(rest, columns, descending)?;
    let known = |rank: u64| (flags & HAS_RANK != 0).then_some(rank);
    let mut previous = None;
    if flags & HAS_PREVIOUS != 0 {
        let (values, after) = unpack_tuple(rest, columns, descending)?;
        rest = after;
        previous = Some(Previous {
            values,
            rank: known(previous_rank),
        });
    }
    let mut layout = None;
    if flags & HAS_LAYOUT != 0 {
        let (&[length], after) = rest.split_first_chunk().ok_or_else(short)?;
        let (bytes, after) = after.split_at_checked(usize::from(length)).ok_or_else(short)?;
        layout = Some(decode_layout(bytes).map_err(corrupt)?);
        rest = after;
    }
    Ok(Outcome {
        leaderboard,
        period: unpack_period_id(rest)?,
        player,
        status: Status::from_code(status).ok_or_else(short)?,
        columns: layout.map(|layout| layout.columns),
        values,
        rank: known(rank),
        previous,
        version,
        replayed,
    })
}

fn split_unsigned(bytes: &[u8]) -> Result<(u64, &[u8]), StoreError> {
    let (int, rest) = bytes.split_first_chunk().ok_or_else(|| corrupt("number"))?;
    Ok((u64::from_be_bytes(*int), rest))
}

fn unpack_tuple(bytes: &[u8], columns: u8, descending: u8) -> Result<(Values, &[u8]), StoreError> {
    let mut rest = bytes;
    let mut values = Vec::with_capacity(usize::from(columns));
    for column in 0..columns {
        let (int, after) = rest
            .split_first_chunk::<SORTABLE_BYTES>()
            .ok_or_else(|| corrupt("tuple"))?;
        let value = decode_sortable(*int);
        let inverted = descending.checked_shr(u32::from(column)).unwrap_or(0) & 1 == 1;
        values.push(if inverted { !value } else { value });
        rest = after;
    }
    Ok((Values::new(values), rest))
}

/// Decodes a period's id.
pub(crate) fn unpack_period_id(bytes: &[u8]) -> Result<PeriodId, StoreError> {
    let text = std::str::from_utf8(bytes).map_err(corrupt)?;
    PeriodId::parse(text).map_err(corrupt)
}

/// Encodes a period's bounds as `start,end` in milliseconds since 1970. An absent bound is empty.
pub(crate) fn pack_bounds(period: &Period) -> String {
    let text = |bound: Option<Timestamp>| bound.map_or_else(String::new, |at| at.as_unix_ms().to_string());
    format!("{},{}", text(period.starts_at), text(period.ends_at))
}

/// Decodes a period from its id and from what [`pack_bounds`] has encoded.
pub(crate) fn unpack_period(id: &[u8], bounds: &[u8]) -> Result<Period, StoreError> {
    let text = std::str::from_utf8(bounds).map_err(corrupt)?;
    let (start, end) = text.split_once(',').ok_or_else(|| corrupt("bounds"))?;
    Ok(Period {
        id: unpack_period_id(id)?,
        starts_at: unpack_bound(start)?,
        ends_at: unpack_bound(end)?,
    })
}

fn unpack_bound(text: &str) -> Result<Option<Timestamp>, StoreError> {
    if text.is_empty() {
        return Ok(None);
    }
    let ms = text.parse().map_err(corrupt)?;
    let bound = Timestamp::from_unix_ms(ms).ok_or_else(|| corrupt("bound"))?;
    Ok(Some(bound))
}

#[cfg(test)]
mod tests {
    use super::*;
    use leaderboard_core::codec::encode_layout;
    use leaderboard_core::{Column, Columns};

    fn layout(orders: &[Order], ties: Ties) -> Layout {
        let columns = orders.iter().enumerate();
        let columns = columns.map(|(at, order)| Column::new(format!("c{at}"), *order).unwrap());
        Layout {
            columns: Columns::new(columns.collect()).unwrap(),
            ties,
        }
    }

    #[test]
    fn layouts_have_policy_columns_and_names_where_scripts_read_them() {
        let two = layout(&[Order::Descending, Order::Ascending], Ties::Latest);
        assert_eq!(encode_layout(&two), b"\x01\x02\x00\x02c0\x01\x02c1");
        for (code, ties) in (0..).zip([Ties::Earliest, Ties::Latest, Ties::Shared, Ties::Dense]) {
            assert_eq!(encode_layout(&layout(&[Order::Ascending], ties))[..2], [code, 1]);
        }
        assert_eq!(descending_bits(&two), 0b01);
    }

    #[test]
    fn a_narrow_integer_is_decoded_to_its_number() {
        for (narrow, value) in [
            (&[128][..], 0),
            (&[129, 1], 1),
            (&[130, 1, 0], 256),
            (&[127], -1),
            (&[126, 254], -2),
            (&[136, 127, 255, 255, 255, 255, 255, 255, 255], i64::MAX),
            (&[119, 128, 0, 0, 0, 0, 0, 0, 0], i64::MIN),
        ] {
            assert_eq!(
                split_narrow_int(narrow),
                Some((encode_sortable(value), &[][..])),
                "{value}"
            );
        }
        for bad in [&[][..], &[129], &[137, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[0], &[255]] {
            assert_eq!(split_narrow_int(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn garbage_is_an_error_and_never_a_panic() {
        let board = || LeaderboardId::new("a").unwrap();
        let player = || PlayerId::new("p").unwrap();
        let one = layout(&[Order::Ascending], Ties::Earliest);
        let mut good = vec![0, 1, 0, HAS_RANK | HAS_PREVIOUS];
        for number in [7_u64, 2, 3] {
            good.extend(number.to_be_bytes());
        }
        good.extend(encode_sortable(5));
        good.extend(encode_sortable(4));
        let before_layouts = [&good[..], b"all"].concat();
        let outcome = unpack_outcome(&before_layouts, board(), player(), true).unwrap();
        assert_eq!((outcome.columns, outcome.values.first()), (None, 5));
        let layout = encode_layout(&one);
        good[3] |= HAS_LAYOUT;
        good.push(u8::try_from(layout.len()).unwrap());
        good.extend(layout);
        good.extend(b"all");
        let outcome = unpack_outcome(&good, board(), player(), false).unwrap();
        assert_eq!(outcome.columns.as_ref(), Some(&one.columns));
        assert_eq!(
            (outcome.version, outcome.rank, outcome.values.first()),
            (7, Some(2), 5)
        );
        let previous = outcome.previous.unwrap();
        assert_eq!((previous.rank, previous.values.first()), (Some(3), 4));
        for length in 0..good.len() {
            let cut = good.get(..length).unwrap();
            assert!(unpack_outcome(cut, board(), player(), false).is_err(), "{length}");
        }
        for garbage in [&[][..], &[128], &[128, 128], &[129, 1, 255], &[7; 40], &[200; 40]] {
            assert!(widen_key(&one, garbage).is_err() || unpack_entry(&one, garbage, &[1]).is_err());
            assert!(unpack_entry(&one, garbage, garbage).is_err());
        }
        assert!(unpack_period(b"all", b"x,").is_err());
        assert!(unpack_period(b"nonsense", b",").is_err());
    }
}
