//! Tests of snapshots of projections as bytes.

use leaderboard_core::access::Caller;
use leaderboard_core::ports::PageFrom;
use leaderboard_core::{
    Event, EventBody, Leaderboard, LeaderboardId, Metadata, Operator, PeriodId, PlayerId, Projection,
    RecordedEvent, Timestamp, Values,
};

/// The players of the first submissions, and their values.
const SCORES: [(&str, i64); 4] = [("zoé", 30), ("ann", 50), ("bob", 40), ("ada", 40)];

fn apply(projection: &mut Projection, body: EventBody) {
    let position = projection.position() + 1;
    let recorded_at = Timestamp::from_unix_ms(1_784_462_400_000 + i64::try_from(position).unwrap()).unwrap();
    let event = Event { recorded_at, body };
    projection.apply(&RecordedEvent { position, event }).unwrap();
}

fn add(projection: &mut Projection, player: &str, by: i64) {
    let body = EventBody::Submitted {
        player: PlayerId::new(player).unwrap(),
        period: PeriodId::all_time(),
        operator: Operator::Increment,
        values: Values::new(vec![by]),
        metadata: (player == "ann").then(|| Metadata::from_json_text("{\"a\":1}").unwrap()),
        occurred_at: Timestamp::from_unix_ms(1_784_462_400_000).unwrap(),
        id: None,
        banned: false,
        kept: false,
    };
    apply(projection, body);
}

/// Returns a projection of a configuration, a ban, and submissions in this order.
fn project(scores: &[(&str, i64)]) -> Projection {
    let mut projection = Projection::default();
    let configured = EventBody::Configured {
        leaderboard: Box::new(Leaderboard::new(LeaderboardId::new("l").unwrap())),
        current: PeriodId::all_time(),
        rebuild: false,
    };
    apply(&mut projection, configured);
    for (player, value) in scores {
        add(&mut projection, player, *value);
    }
    let player = PlayerId::new("bob").unwrap();
    apply(&mut projection, EventBody::Banned { player });
    projection
}

/// Returns the players of the list, best first, and their values.
fn list(projection: &Projection) -> Vec<(String, i64)> {
    let page = projection.page(&PeriodId::all_time(), &PageFrom::Top, 1_000, &Caller::Anonymous);
    let entries = page.entries.into_iter().map(|ranked| ranked.entry);
    entries
        .map(|entry| (entry.player.to_string(), entry.values.first()))
        .collect()
}

/// Returns the bytes of a snapshot with a checksum that fits its body.
fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    let (words, rest) = bytes[9..].as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let rest = rest.iter().map(|byte| u64::from(*byte));
    let sum = words.chain(rest).fold(0xcbf2_9ce4_8422_2325, |sum: u64, word| {
        (sum ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(23)
    });
    bytes[1..9].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// A snapshot of [`project`] in the first format, in hexadecimal. It never changes.
const FIRST_FORMAT: &str = include_str!("data/snapshot_of_the_first_format.hex");

#[test]
fn a_snapshot_of_the_first_format_is_read_and_becomes_one_of_todays() {
    let digits = FIRST_FORMAT.trim().as_bytes().as_chunks::<2>().0;
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let first_format: Vec<u8> = digits.iter().map(byte).collect();
    let mut read = Projection::decode_snapshot(first_format).unwrap();
    let mut replayed = project(&SCORES);
    assert_eq!(read.encode_snapshot(), replayed.encode_snapshot());
    for projection in [&mut read, &mut replayed] {
        for (player, by) in [("zoé", 30), ("ada", 1), ("new", 45)] {
            add(projection, player, by);
        }
    }
    let expected = [("zoé", 60), ("ann", 50), ("new", 45), ("ada", 41)];
    assert_eq!(
        list(&read),
        expected.map(|(player, value)| (player.to_owned(), value))
    );
    assert_eq!(read.encode_snapshot(), replayed.encode_snapshot());
}

#[test]
fn equal_projections_have_equal_snapshots_and_a_snapshot_has_every_player() {
    let players: Vec<String> = (0..500).map(|number| format!("player {number}")).collect();
    let scores: Vec<(&str, i64)> = players.iter().map(String::as_str).zip(1..).collect();
    let reversed: Vec<_> = scores.iter().rev().copied().collect();
    let bytes = project(&scores).encode_snapshot().unwrap();
    assert_eq!(project(&reversed).encode_snapshot(), Some(bytes.clone()));
    let mut read = Projection::decode_snapshot(bytes).unwrap();
    assert_eq!(
        read.listed_entry(&PeriodId::all_time(), &PlayerId::new("ghost").unwrap()),
        None
    );
    for (player, value) in &scores {
        let found = read.listed_entry(&PeriodId::all_time(), &PlayerId::new(*player).unwrap());
        assert_eq!(found.unwrap().entry.values.first(), *value);
        add(&mut read, player, 1_000);
    }
    let added = reversed
        .iter()
        .map(|(player, value)| ((*player).to_owned(), value + 1_000));
    assert_eq!(list(&read), added.collect::<Vec<_>>());
}

#[test]
fn a_damaged_snapshot_is_not_read_and_one_with_a_wrong_table_is_harmless() {
    let bytes = project(&SCORES).encode_snapshot().unwrap();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        assert!(Projection::decode_snapshot(damaged.clone()).is_err(), "byte {at}");
        // A client can import a damaged snapshot with a checksum that fits.
        damaged[0] = bytes[0];
        if let Ok(mut read) = Projection::decode_snapshot(with_checksum(damaged)) {
            let player = PlayerId::new("ann").unwrap();
            let _ = read.listed_entry(&PeriodId::all_time(), &player);
            let position = read.position().saturating_add(1);
            let event = Event {
                recorded_at: Timestamp::from_unix_ms(0).unwrap(),
                body: EventBody::Banned { player },
            };
            let _ = read.apply(&RecordedEvent { position, event });
            let _ = (list(&read), read.encode_snapshot());
        }
    }
    // The eight slots of four entries are at the end: a full table, one without entries, and one with an index that is too large.
    let slots_at = bytes.len() - 8 * 4;
    for slot in [0_u32, u32::MAX, 4] {
        let mut damaged = bytes.clone();
        for bytes in damaged[slots_at..].as_chunks_mut::<4>().0 {
            *bytes = slot.to_le_bytes();
        }
        assert!(
            Projection::decode_snapshot(with_checksum(damaged)).is_err(),
            "slots {slot}"
        );
    }
}
