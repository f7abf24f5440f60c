//! Rate limits and usage: by the database's clock, without leaving anything behind.

use std::time::{SystemTime, UNIX_EPOCH};

use futures::executor::block_on;
use leaderboard_core::ports::{
    AuditKind, AuditLog, AuditRecord, Charge, ChargeRequest, Counters, MAX_AUDIT_ACTIONS,
    MAX_AUDIT_AUTHENTICATIONS, MAX_CHARGES, RateLimits, USAGE_DAYS, Usage,
};

use crate::support::*;

const HOUR_US: u64 = 3_600_000_000;
const DAY_US: u64 = 24 * HOUR_US;

fn now_us() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_micros()).unwrap()
}

fn charge(bucket: &str, cost: u64) -> ChargeRequest {
    ChargeRequest {
        charges: vec![Charge {
            bucket: bucket.into(),
            interval_us: HOUR_US,
            burst: 3,
            needs: (cost > 0).then_some(cost),
            cost,
        }],
        ..ChargeRequest::default()
    }
}

fn arrival(file: &File, bucket: &str) -> u64 {
    let at: i64 = file
        .raw()
        .query_row(
            "SELECT arrives_at FROM buckets WHERE bucket = ?1",
            [bucket],
            |row| row.get(0),
        )
        .unwrap();
    at.cast_unsigned()
}

/// Puts a bucket into the file that was full again so long ago.
fn put_full(file: &File, bucket: &str, ago_us: u64) {
    let arrives_at = (now_us() - ago_us).cast_signed();
    file.raw()
        .execute(
            "INSERT INTO buckets VALUES ('acme', ?1, ?2)",
            (bucket, arrives_at),
        )
        .unwrap();
}

#[test]
fn the_clock_is_the_database_s() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let before = now_us() / 1000 * 1000;
        let rate_limit_decision = store.take(&tenant(), &charge("a", 2)).await.unwrap();
        let after = now_us();
        assert_eq!(rate_limit_decision.ahead_us, [2 * HOUR_US]);
        let started = arrival(&file, "a") - 2 * HOUR_US;
        assert!((before..=after).contains(&started), "{before} {started} {after}");
    });
}

#[test]
fn full_buckets_go_in_pieces_and_those_in_use_stay() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        store.take(&tenant(), &charge("used", 1)).await.unwrap();
        put_full(&file, "just full", 1_000_000);
        for n in 0..300 {
            put_full(&file, &n.to_string(), HOUR_US);
        }
        let mut left = Vec::new();
        for _ in 0..4 {
            // One that asks for the state alone deletes nothing.
            store.take(&tenant(), &charge("used", 0)).await.unwrap();
            store.report(&tenant(), &charge("used", 1)).await.unwrap();
            left.push(rows(&file, "buckets"));
        }
        let piece = i64::try_from(2 * MAX_CHARGES).unwrap();
        assert_eq!(left, [302 - piece, 302 - 2 * piece, 2, 2]);
        assert!(arrival(&file, "used") > now_us());
        assert!(arrival(&file, "just full") < now_us());
    });
}

#[test]
fn old_days_are_out_of_sight_and_go() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let charge_request = ChargeRequest {
            usage: Usage {
                requests: 2,
                scores: 3,
            },
            ..ChargeRequest::default()
        };
        store.take(&tenant(), &charge_request).await.unwrap();
        let today = now_us() / DAY_US;
        for (whose, ago) in [
            ("acme", USAGE_DAYS - 1),
            ("acme", USAGE_DAYS),
            ("gone", USAGE_DAYS + 50),
        ] {
            let day = (today - u64::from(ago)).cast_signed();
            file.raw()
                .execute("INSERT INTO usage VALUES (?1, ?2, 7, 8)", (whose, day))
                .unwrap();
        }
        let (days, _) = store.usage(&tenant(), u32::MAX).await.unwrap();
        let ago: Vec<_> = days.iter().map(|day| today - u64::from(day.day)).collect();
        assert_eq!(ago, [0, u64::from(USAGE_DAYS) - 1]);
        assert_eq!(days[0].usage, charge_request.usage);
        assert_eq!(rows(&file, "usage"), 4);
        store.take(&tenant(), &charge_request).await.unwrap();
        assert_eq!(rows(&file, "usage"), 2);
    });
}

#[test]
fn a_counter_stops_at_the_end_of_its_range() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let most = i64::MAX.cast_unsigned();
        for count in [u64::MAX, 1, u64::MAX] {
            store.add(&[("a".into(), count), ("b".into(), 1)]).await.unwrap();
        }
        assert_eq!(
            store.counters().await.unwrap(),
            [("a".into(), most), ("b".into(), 3)]
        );
    });
}

#[test]
fn the_oldest_records_go_in_pieces_and_no_notice_pushes_an_act_out() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let record = |tenant, kind| AuditRecord {
            tenant,
            kind,
            at: at(0),
            body: b"x".to_vec(),
        };
        let (act, notice) = (
            record(Some(tenant()), AuditKind::Action),
            record(Some(tenant()), AuditKind::Authentication),
        );
        for _ in 0..100 {
            store.append_audit(&act).await.unwrap();
        }
        for position in 101..=200 {
            assert_eq!(store.append_audit(&notice).await, Ok(position));
        }
        // As if there were more of them than are kept.
        let surplus = |kind: &str, most: u64| {
            let records = most.cast_signed() + 90;
            file.raw()
                .execute(
                    "UPDATE audit_sizes SET records = ?1 WHERE scope = 'acme' AND kind = ?2",
                    (records, kind),
                )
                .unwrap();
        };
        surplus("notices", MAX_AUDIT_AUTHENTICATIONS);
        assert_eq!(store.append_audit(&record(None, AuditKind::Action)).await, Ok(1));
        let mut left = Vec::new();
        for position in 201..204 {
            assert_eq!(store.append_audit(&notice).await, Ok(position));
            left.push((rows(&file, "audit"), rows(&file, "notices")));
        }
        assert_eq!(left, [(101, 37), (101, 10), (101, 10)]);
        surplus("audit", MAX_AUDIT_ACTIONS);
        assert_eq!(store.append_audit(&act).await, Ok(204));
        assert_eq!((rows(&file, "audit"), rows(&file, "notices")), (38, 10));
        let kept = store.read_audit(Some(&tenant()), None, 1000).await.unwrap();
        let positions: Vec<u64> = kept.iter().rev().map(|record| record.position).collect();
        let expected: Vec<u64> = (65..=100).chain(194..=204).collect();
        assert_eq!(positions, expected);
    });
}
