//! Tests that the codec decodes the bytes that it encodes, and reports other bytes as malformed.

mod generators;

use leaderboard_core::codec::{
    Malformed, RECORDED_AT_BYTES, Reader, Writer, decode_event, decode_layout, decode_leaderboard,
    decode_logged_event, decode_outcome, encode_event, encode_layout, encode_leaderboard, encode_outcome,
    read_recorded_at,
};
use leaderboard_core::{
    CachePolicy, Event, EventBody, Leaderboard, LeaderboardId, LoggedEvent, MAX_LIFETIME_MS, Metadata,
    Operator, Outcome, PeriodId, RecordedEvent, Reset, Schedule, SubmissionId, Timestamp, UnknownEvent,
    Values, WarmResponse,
};
use proptest::prelude::*;

use self::generators::{events, layouts, leaderboards, outcomes};
use crate::given::{any_value, board, player, schedule};

/// Checks that the bytes are malformed when they are cut short and when they have one byte more.
fn assert_only_complete_bytes_decode<T: std::fmt::Debug>(
    bytes: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, Malformed>,
) {
    for length in 0..bytes.len() {
        let cut = decode(&bytes[..length]);
        assert!(cut.is_err(), "{length} of {} bytes: {cut:?}", bytes.len());
    }
    let longer = [bytes, &[0]].concat();
    assert!(decode(&longer).is_err(), "a byte too many");
}

/// Decodes an outcome of any leaderboard and player.
fn decode_any_outcome(bytes: &[u8]) -> Result<Outcome, Malformed> {
    decode_outcome(bytes, board("any").id, player("p"))
}

proptest! {
    #[test]
    fn the_instant_of_an_event_is_read_from_its_first_bytes(event in events()) {
        let bytes = encode_event(&event);
        let first = &bytes[..bytes.len().min(RECORDED_AT_BYTES)];
        prop_assert_eq!(read_recorded_at(first), Ok(event.recorded_at));
    }

    #[test]
    fn a_leaderboard_is_decoded_to_the_same_value(board in leaderboards()) {
        let bytes = encode_leaderboard(&board);
        prop_assert_eq!(decode_leaderboard(&bytes), Ok(board));
        assert_only_complete_bytes_decode(&bytes, decode_leaderboard);
    }

    #[test]
    fn a_layout_is_decoded_and_equal_layouts_have_equal_bytes(a in layouts(), b in layouts()) {
        prop_assert_eq!(decode_layout(&encode_layout(&a)), Ok(a.clone()));
        prop_assert_eq!(encode_layout(&a) == encode_layout(&b), a == b);
        assert_only_complete_bytes_decode(&encode_layout(&a), decode_layout);
    }

    #[test]
    fn an_event_is_decoded_to_the_same_value(event in events()) {
        let bytes = encode_event(&event);
        prop_assert_eq!(decode_event(&bytes), Ok(event));
        assert_only_complete_bytes_decode(&bytes, decode_event);
    }

    #[test]
    fn an_outcome_is_decoded_to_the_same_value(outcome in outcomes()) {
        let bytes = encode_outcome(&outcome);
        let (leaderboard, player) = (outcome.leaderboard.clone(), outcome.player.clone());
        prop_assert_eq!(decode_outcome(&bytes, leaderboard, player), Ok(outcome));
        assert_only_complete_bytes_decode(&bytes, decode_any_outcome);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), first in 0..7_u8) {
        for bytes in [bytes.clone(), [&[first], &bytes[..]].concat()] {
            // Bytes that can be decoded are a valid value: its own encoding is decoded to the same value.
            if let Ok(event) = decode_event(&bytes) {
                prop_assert_eq!(decode_event(&encode_event(&event)), Ok(event));
            }
            if let Ok(board) = decode_leaderboard(&bytes) {
                prop_assert_eq!(decode_leaderboard(&encode_leaderboard(&board)), Ok(board));
            }
            if let Ok(layout) = decode_layout(&bytes) {
                prop_assert_eq!(decode_layout(&encode_layout(&layout)), Ok(layout));
            }
            if let Ok(outcome) = decode_any_outcome(&bytes) {
                prop_assert_eq!(decode_any_outcome(&encode_outcome(&outcome)), Ok(outcome));
            }
        }
    }

    #[test]
    fn a_flipped_bit_is_read_without_a_panic(event in events(), at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut bytes = encode_event(&event);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(other) = decode_event(&bytes) {
            prop_assert_eq!(decode_event(&encode_event(&other)), Ok(other));
        }
    }

    #[test]
    fn an_integer_is_decoded_to_the_same_value(unsigned in any::<u64>(), signed in any_value()) {
        let mut w = Writer::default();
        w.unsigned(unsigned);
        w.signed(signed);
        let bytes = w.finish();
        let mut r = Reader::new(&bytes);
        prop_assert_eq!((r.unsigned(), r.signed(), r.end()), (Ok(unsigned), Ok(signed), Ok(())));
    }
}

#[test]
fn a_varint_above_64_bits_is_malformed() {
    for bytes in [
        &[0xff; 10][..],
        &[0x80; 11],
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
    ] {
        assert_eq!(Reader::new(bytes).unsigned(), Err(Malformed("varint")));
    }
    let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    assert_eq!(Reader::new(&most).unsigned(), Ok(u64::MAX));
}

#[test]
fn an_invalid_configuration_is_malformed() {
    for wrong in [
        Leaderboard {
            keep_periods: 0,
            ..board("l")
        },
        Leaderboard {
            cache: CachePolicy {
                lifetime_ms: MAX_LIFETIME_MS + 1,
                ..CachePolicy::default()
            },
            ..board("l")
        },
        Leaderboard {
            cache: CachePolicy {
                warm: vec![WarmResponse::List { limit: 0 }],
                ..CachePolicy::default()
            },
            ..board("l")
        },
        Leaderboard {
            title: "a\nb".into(),
            ..board("l")
        },
        Leaderboard {
            starts_at: Some(Timestamp::MAX),
            ends_at: Some(Timestamp::MIN),
            ..board("l")
        },
    ] {
        assert_eq!(
            decode_leaderboard(&encode_leaderboard(&wrong)),
            Err(Malformed("leaderboard"))
        );
    }
    assert!(LeaderboardId::new("Any").is_err());
    assert!(
        Schedule::new(Reset {
            cron: "".into(),
            time_zone: "UTC".into()
        })
        .is_err()
    );
}

/// Returns the bytes of a configuration `l` in the first format, with defaults and this reset.
fn encode_in_first_format(reset: &[u8]) -> Vec<u8> {
    #[rustfmt::skip]
    let before = [1, 1, b'l', 0, 0, 1, 0, 5, b's', b'c', b'o', b'r', b'e', 0, 0];
    [&before[..], reset, &[12, 0, 0, 0, 0, 0, 0, 0, 0, 0]].concat()
}

#[test]
fn configurations_of_the_first_two_formats_keep_their_bytes() {
    let first = encode_in_first_format(&[0]);
    let read = decode_leaderboard(&first).unwrap();
    assert_eq!(encode_leaderboard(&read), first);
    let now = crate::given::at("2026-11-11T10:15:00Z");
    assert!(
        !read.schedule.is_recorded(now),
        "the leaderboard may have had another reset before"
    );
    let recorded = Leaderboard {
        schedule: Schedule::never(),
        ..read.clone()
    };
    assert_eq!(recorded, board("l"));
    let own = Leaderboard {
        cache: CachePolicy {
            lifetime_ms: 0,
            ..CachePolicy::default()
        },
        ..read
    };
    let second = encode_leaderboard(&own);
    assert_eq!(second.first(), Some(&2));
    assert_eq!(decode_leaderboard(&second), Ok(own.clone()));
    let mut log = own;
    log.log.keep_days = 7;
    let bytes = encode_leaderboard(&log);
    assert_eq!(bytes.first(), Some(&4));
    assert_eq!(decode_leaderboard(&bytes), Ok(log));
}

#[test]
fn a_reset_in_the_first_format_is_recorded_when_the_reset_changes() {
    let mut reset = vec![1, 9];
    reset.extend(b"0 0 * * *");
    reset.push(3);
    reset.extend(b"UTC");
    let daily = encode_in_first_format(&reset);
    let read = decode_leaderboard(&daily).unwrap();
    assert_eq!(encode_leaderboard(&read), daily);
    let now = crate::given::at("2026-11-11T10:15:00Z");
    let weekly = schedule("0 0 * * 1", "UTC");
    let changed = Leaderboard {
        schedule: read.schedule.changed_to(&weekly, 12, now, false).unwrap(),
        ..read.clone()
    };
    assert_eq!(
        decode_leaderboard(&encode_leaderboard(&changed)),
        Ok(changed.clone())
    );
    assert_eq!(changed.schedule.period_at(now), read.schedule.period_at(now));
    let later = crate::given::at("2026-11-12T00:00:00Z");
    assert!(
        changed.schedule.is_recorded(later)
            && !changed
                .schedule
                .is_recorded(crate::given::at("2026-11-10T00:00:00Z"))
    );
}

#[test]
fn the_bytes_of_events_do_not_change_between_versions() {
    // Event logs are kept for years, so the codec must read and write exactly these bytes.
    let event = Event {
        recorded_at: crate::given::at("2026-07-19T12:00:00Z"),
        body: EventBody::Submitted {
            player: player("p"),
            period: PeriodId::all_time(),
            operator: Operator::Increment,
            values: Values::new(vec![1, -1]),
            metadata: None,
            occurred_at: crate::given::at("2026-07-19T12:00:00Z"),
            id: SubmissionId::new("x").ok(),
            banned: false,
            kept: false,
        },
    };
    #[rustfmt::skip]
    let expected = [2, 0b0001_1010, 0x80, 0xe8, 0xfa, 0xa3, 0xef, 0x67, 2, 1, b'p', 2, 2, 1, 1, b'x'];
    assert_eq!(encode_event(&event), expected);
    // The codec also decodes an event with the full id of its period.
    let in_full = [&expected[..8], &[0, 3], b"all", &expected[9..]].concat();
    assert_eq!(decode_event(&in_full), Ok(event.clone()));
    // In this version, metadata comes before the id.
    let mut with_metadata = event;
    let EventBody::Submitted { metadata, .. } = &mut with_metadata.body else {
        panic!("another event")
    };
    *metadata = Metadata::from_json_text("{}").ok();
    let mut first = expected.to_vec();
    first[1] |= 0b0000_0100;
    first.splice(14..14, [2, b'{', b'}']);
    assert_eq!(decode_event(&first), Ok(with_metadata.clone()));
    // The codec encodes metadata at the end today, so that a store can append metadata.
    let mut last = expected.to_vec();
    last[0] = 6;
    last[1] |= 0b0000_0100;
    last.extend([2, b'{', b'}']);
    assert_eq!(encode_event(&with_metadata), last);
    assert_eq!(decode_event(&last), Ok(with_metadata));
}

/// A log as the first release wrote it, one event in each line, in hexadecimal. The lines never change.
const FIRST_FORMAT: &str = include_str!("data/log_of_the_first_format.hex");

#[test]
fn a_log_of_the_first_format_is_read_as_events_of_today() {
    let bytes = |line: &str| -> Vec<u8> {
        let digits = line
            .as_bytes()
            .chunks(2)
            .map(|pair| std::str::from_utf8(pair).unwrap());
        digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
    };
    let recorded_at = crate::given::at("2026-07-19T12:00:00Z");
    let submitted = |metadata: Option<&str>, id: Option<&str>, occurred_at: &str| EventBody::Submitted {
        player: player("ann"),
        period: PeriodId::all_time(),
        operator: Operator::Best,
        values: Values::new(vec![7]),
        metadata: metadata.map(|text| Metadata::from_json_text(text).unwrap()),
        occurred_at: crate::given::at(occurred_at),
        id: id.map(|id| SubmissionId::new(id).unwrap()),
        banned: false,
        kept: false,
    };
    let expected = [
        submitted(Some(r#"{"a":1}"#), Some("x"), "2026-07-19T12:00:00Z"),
        submitted(Some(r#"{"a":1}"#), None, "2026-07-19T11:00:00Z"),
        submitted(None, Some("x"), "2026-07-19T12:00:00Z"),
        EventBody::Removed {
            player: player("ann"),
            period: PeriodId::all_time(),
        },
        EventBody::Banned {
            player: player("ann"),
        },
        EventBody::Unbanned {
            player: player("ann"),
        },
    ];
    for ((position, line), body) in (1..).zip(FIRST_FORMAT.lines()).zip(expected) {
        let logged = decode_logged_event(position, &bytes(line)).unwrap();
        assert_eq!(
            logged.into_known().unwrap(),
            RecordedEvent {
                position,
                event: Event { recorded_at, body }
            }
        );
    }
    assert_eq!(FIRST_FORMAT.lines().count(), 6);
}

#[test]
fn an_event_of_a_newer_format_has_its_position_and_its_instant() {
    let event = Event {
        recorded_at: crate::given::at("2026-07-19T12:00:00Z"),
        body: EventBody::Banned {
            player: player("ann"),
        },
    };
    let mut bytes = encode_event(&event);
    bytes[0] = 200;
    let unknown = |recorded_at| LoggedEvent {
        position: 5,
        schema_version: 200,
        event: Err(UnknownEvent { recorded_at }),
    };
    assert_eq!(
        decode_logged_event(5, &bytes),
        Ok(unknown(Some(event.recorded_at)))
    );
    assert_eq!(decode_logged_event(5, &[200]), Ok(unknown(None)));
    // A damaged event of a known format is an error.
    assert!(decode_logged_event(5, &[4]).is_err());
    assert!(decode_logged_event(5, &[]).is_err());
}
