//! What the domain costs: order key, decision, period, codec, replay of a log.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use leaderboard_core::access::Caller;
use leaderboard_core::codec::{decode_event, decode_leaderboard, encode_event, encode_leaderboard};
use leaderboard_core::ports::PageFrom;
use leaderboard_core::{
    Column, Columns, Entry, Event, EventBody, Invalid, Layout, Leaderboard, LeaderboardId, Operator, Order,
    PeriodId, PlayerId, Projection, RecordedEvent, Reset, Schedule, Submission, SubmittedValues, Ties,
    Timestamp, Values, decide,
};

const DAY_MS: i64 = 86_400_000;

fn now() -> Timestamp {
    Timestamp::saturating_from_unix_ms(1_784_462_400_000)
}

fn player() -> Result<PlayerId, Invalid> {
    PlayerId::new("José Piendibene (Uruguay)")
}

fn schedule(cron: &str) -> Result<Schedule, Invalid> {
    Schedule::new(Reset {
        cron: cron.into(),
        time_zone: "Europe/Madrid".into(),
    })
}

fn leaderboard() -> Result<Leaderboard, Invalid> {
    Ok(Leaderboard {
        title: "Goals by year".into(),
        columns: Columns::new(vec![
            Column::new("goals", Order::Descending)?,
            Column::new("minutes", Order::Ascending)?,
        ])?,
        schedule: schedule("0 0 1 1 *")?,
        keep_periods: 120,
        ..Leaderboard::new(LeaderboardId::new("goals-by-year")?)
    })
}

fn order_key(c: &mut Criterion) -> Result<(), Invalid> {
    let mut group = c.benchmark_group("order_key");
    let player = player()?;
    for columns in 1..=3 {
        let named = ["a", "b", "c"].iter().take(columns);
        let layout = Layout {
            columns: Columns::new(
                named
                    .map(|name| Column::new(*name, Order::Descending))
                    .collect::<Result<_, _>>()?,
            )?,
            ties: Ties::Earliest,
        };
        let values = Values::new(vec![i64::MAX - 7; columns]);
        group.bench_function(BenchmarkId::new("encode", columns), |b| {
            b.iter(|| layout.key(black_box(&values), now(), &player));
        });
        let key = layout.key(&values, now(), &player);
        group.bench_function(BenchmarkId::new("parse", columns), |b| {
            b.iter(|| layout.parse(black_box(key.as_bytes())));
        });
    }
    group.finish();
    Ok(())
}

fn decisions(c: &mut Criterion) -> Result<(), Invalid> {
    let board = leaderboard()?;
    let submission = Submission {
        leaderboards: vec![board.id.clone()],
        player: player()?,
        values: SubmittedValues::Named(vec![("goals".into(), 3), ("minutes".into(), 90)]),
        operator: None,
        metadata: None,
        occurred_at: Some(now()),
        id: None,
        request: None,
        received_at: None,
    };
    let entry = Entry {
        player: player()?,
        values: Values::new(vec![2, 90]),
        reached_at: now(),
        metadata: None,
        attempts: 1,
    };
    let mut group = c.benchmark_group("decide");
    group.bench_function("first", |b| {
        b.iter(|| decide(None, 10, black_box(&submission), &board, now()));
    });
    group.bench_function("improvement", |b| {
        b.iter(|| decide(Some(&entry), 10, black_box(&submission), &board, now()));
    });
    group.bench_function("fingerprint", |b| b.iter(|| black_box(&submission).fingerprint()));
    group.finish();
    Ok(())
}

fn periods(c: &mut Criterion) -> Result<(), Invalid> {
    let mut group = c.benchmark_group("period");
    for (name, cron) in [
        ("hourly", "0 * * * *"),
        ("daily", "0 0 * * *"),
        ("yearly", "0 0 1 1 *"),
    ] {
        let cold = schedule(cron)?;
        let mut instant = now();
        group.bench_function(BenchmarkId::new("at/computed", name), |b| {
            b.iter(|| {
                // Always another period than the cached ones, in the years from 1970 to 2189.
                let next_ms = (instant.as_unix_ms() + 1000 * DAY_MS) % (80_021 * DAY_MS);
                instant = Timestamp::saturating_from_unix_ms(next_ms);
                cold.period_at(black_box(instant))
            });
        });
        let warm = schedule(cron)?;
        group.bench_function(BenchmarkId::new("at/cached", name), |b| {
            b.iter(|| warm.period_at(black_box(now())));
        });
        let period = warm.period_at(now());
        group.bench_function(BenchmarkId::new("expiry/cached/1000", name), |b| {
            b.iter(|| warm.expires_at(black_box(&period), 1000));
        });
        for keep in [12, 1000_u16] {
            let id = BenchmarkId::new(format!("expiry/computed/{keep}"), name);
            let template = schedule(cron)?;
            group.bench_function(id, |b| {
                b.iter(|| template.clone().expires_at(black_box(&period), keep));
            });
        }
    }
    let reset = || Reset {
        cron: "0 0 * * 1".into(),
        time_zone: "Europe/Madrid".into(),
    };
    group.bench_function("new", |b| b.iter(|| Schedule::new(black_box(reset()))));
    group.finish();
    Ok(())
}

fn codec(c: &mut Criterion) -> Result<(), Invalid> {
    let mut group = c.benchmark_group("codec");
    let board = leaderboard()?;
    let bytes = encode_leaderboard(&board);
    group.bench_function("leaderboard/encode", |b| {
        b.iter(|| encode_leaderboard(black_box(&board)));
    });
    group.bench_function("leaderboard/decode", |b| {
        b.iter(|| decode_leaderboard(black_box(&bytes)));
    });
    let event = Event {
        recorded_at: now(),
        body: EventBody::Submitted {
            player: player()?,
            period: PeriodId::all_time(),
            operator: board.operator,
            values: Values::new(vec![3, 90]),
            metadata: None,
            occurred_at: now(),
            id: None,
            banned: false,
            kept: false,
        },
    };
    let bytes = encode_event(&event);
    group.bench_function("event/encode", |b| b.iter(|| encode_event(black_box(&event))));
    group.bench_function("event/decode", |b| b.iter(|| decode_event(black_box(&bytes))));
    group.finish();
    Ok(())
}

/// The number of events of the replayed log, and of the players in it.
const EVENTS: u64 = 100_000;

/// The number of events after a snapshot: the most that there are between two of them.
const EVENTS_AFTER_A_SNAPSHOT: u64 = 25_000;

/// Returns the period of the submissions.
fn period() -> Result<PeriodId, Invalid> {
    Ok(leaderboard()?.schedule.period_at(now()).id)
}

/// Returns the submission of the player with this number, as bytes.
fn encoded_submission(number: u64) -> Result<Vec<u8>, Invalid> {
    let value = i64::try_from(number).unwrap_or_default().wrapping_mul(7_919) % 100_003;
    Ok(encode_event(&Event {
        recorded_at: now(),
        body: EventBody::Submitted {
            player: PlayerId::new(format!("player {number}"))?,
            period: period()?,
            operator: Operator::Increment,
            values: Values::new(vec![value, 90]),
            metadata: None,
            occurred_at: now(),
            id: None,
            banned: false,
            kept: false,
        },
    }))
}

/// A log of the first event and of submissions of as many players as events, as bytes.
fn encoded_log() -> Result<Vec<Vec<u8>>, Invalid> {
    let configured = Event {
        recorded_at: now(),
        body: EventBody::Configured {
            leaderboard: Box::new(leaderboard()?),
            current: period()?,
            rebuild: false,
        },
    };
    let mut log = vec![encode_event(&configured)];
    for number in 1..EVENTS {
        log.push(encoded_submission(number)?);
    }
    Ok(log)
}

fn replay(log: &[Vec<u8>]) -> Projection {
    replay_after(Projection::default(), log)
}

fn replay_after(mut projection: Projection, log: &[Vec<u8>]) -> Projection {
    for (position, bytes) in (projection.position().saturating_add(1)..).zip(log) {
        if let Ok(event) = decode_event(bytes) {
            let _ = projection.apply(&RecordedEvent { position, event });
        }
    }
    projection
}

fn history(c: &mut Criterion) -> Result<(), Invalid> {
    let mut group = c.benchmark_group("history");
    group.sample_size(10);
    let log = encoded_log()?;
    group.throughput(Throughput::Elements(EVENTS));
    group.bench_function("replay", |b| b.iter(|| replay(black_box(&log))));
    let projection = replay(&log);
    let period = period()?;
    let read_page = |projection: &Projection| {
        let page = projection.page(&period, &PageFrom::Top, 10, &Caller::Anonymous);
        assert_eq!(page.entries.len(), 10);
        page
    };
    group.bench_function("page", |b| b.iter(|| read_page(&projection)));
    group.bench_function("snapshot/encode", |b| b.iter(|| projection.encode_snapshot()));
    let snapshot = projection.encode_snapshot().unwrap_or_default();
    group.bench_function("snapshot/decode", |b| {
        b.iter(|| Projection::decode_snapshot(snapshot.clone()).map(|read| read_page(&read)));
    });
    let after: Vec<Vec<u8>> = (1..=EVENTS_AFTER_A_SNAPSHOT)
        .map(|number| encoded_submission(number.wrapping_mul(7_919) % EVENTS))
        .collect::<Result<_, _>>()?;
    group.throughput(Throughput::Elements(EVENTS_AFTER_A_SNAPSHOT));
    group.bench_function("snapshot/read", |b| {
        b.iter(|| {
            let read = Projection::decode_snapshot(snapshot.clone());
            read.map(|read| read_page(&replay_after(read, &after)))
        });
    });
    group.finish();
    Ok(())
}

fn domain(c: &mut Criterion) {
    for bench in [order_key, decisions, periods, codec, history] {
        if let Err(invalid) = bench(c) {
            eprintln!("a bench starts from a value that is not valid: {invalid}");
        }
    }
}

criterion_group!(benches, domain);
criterion_main!(benches);
