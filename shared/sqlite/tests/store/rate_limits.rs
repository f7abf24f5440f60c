//! Tests of rate limits, usage, counters and the audit log, with the clock of the database.

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

/// Returns a charge on a limit of three units that grows back by one an hour. A cost of 0 reads the state.
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

/// Returns the `arrives_at` of a bucket, in Unix microseconds.
fn read_arrival(file: &File, bucket: &str) -> u64 {
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

/// Inserts a bucket that has been full again for `ago_us` microseconds.
fn insert_full_bucket(file: &File, bucket: &str, ago_us: u64) {
    let arrives_at = (now_us() - ago_us).cast_signed();
    file.raw()
        .execute(
            "INSERT INTO buckets VALUES ('acme', ?1, ?2)",
            (bucket, arrives_at),
        )
        .unwrap();
}

#[test]
fn charges_use_the_clock_of_the_database() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let before = now_us() / 1000 * 1000;
        let rate_limit_decision = store.take(&tenant(), &charge("a", 2)).await.unwrap();
        let after = now_us();
        assert_eq!(rate_limit_decision.ahead_us, [2 * HOUR_US]);
        let started = read_arrival(&file, "a") - 2 * HOUR_US;
        assert!((before..=after).contains(&started), "{before} {started} {after}");
    });
}

#[test]
fn full_buckets_are_deleted_in_steps_and_used_buckets_stay() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        store.take(&tenant(), &charge("used", 1)).await.unwrap();
        insert_full_bucket(&file, "just full", 1_000_000);
        for n in 0..300 {
            insert_full_bucket(&file, &n.to_string(), HOUR_US);
        }
        let mut left = Vec::new();
        for _ in 0..4 {
            // A request that only reads the state deletes no bucket.
            store.take(&tenant(), &charge("used", 0)).await.unwrap();
            store.report(&tenant(), &charge("used", 1)).await.unwrap();
            left.push(count_rows(&file, "buckets"));
        }
        let step = i64::try_from(2 * MAX_CHARGES).unwrap();
        assert_eq!(left, [302 - step, 302 - 2 * step, 2, 2]);
        assert!(read_arrival(&file, "used") > now_us());
        assert!(read_arrival(&file, "just full") < now_us());
    });
}

#[test]
fn old_days_of_usage_are_not_listed_and_are_then_deleted() {
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
        for (tenant, ago) in [
            ("acme", USAGE_DAYS - 1),
            ("acme", USAGE_DAYS),
            ("gone", USAGE_DAYS + 50),
        ] {
            let day = (today - u64::from(ago)).cast_signed();
            file.raw()
                .execute("INSERT INTO usage VALUES (?1, ?2, 7, 8)", (tenant, day))
                .unwrap();
        }
        let (days, _) = store.usage(&tenant(), u32::MAX).await.unwrap();
        let ago: Vec<_> = days.iter().map(|day| today - u64::from(day.day)).collect();
        assert_eq!(ago, [0, u64::from(USAGE_DAYS) - 1]);
        assert_eq!(days[0].usage, charge_request.usage);
        assert_eq!(count_rows(&file, "usage"), 4);
        store.take(&tenant(), &charge_request).await.unwrap();
        assert_eq!(count_rows(&file, "usage"), 2);
    });
}

#[test]
fn a_counter_stops_at_its_maximum() {
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
fn old_audit_records_are_deleted_in_steps_for_each_kind_alone() {
    block_on(async {
        let file = File::new();
        let store = file.store();
        let record = |tenant, kind| AuditRecord {
            tenant,
            kind,
            at: at(0),
            body: b"x".to_vec(),
        };
        let (action, authentication) = (
            record(Some(tenant()), AuditKind::Action),
            record(Some(tenant()), AuditKind::Authentication),
        );
        for _ in 0..100 {
            store.append_audit(&action).await.unwrap();
        }
        for position in 101..=200 {
            assert_eq!(store.append_audit(&authentication).await, Ok(position));
        }
        // Raises the stored count of records above the maximum, so that the next append deletes old records.
        let raise_count = |kind: &str, most: u64| {
            let records = most.cast_signed() + 90;
            file.raw()
                .execute(
                    "UPDATE audit_sizes SET records = ?1 WHERE scope = 'acme' AND kind = ?2",
                    (records, kind),
                )
                .unwrap();
        };
        raise_count("notices", MAX_AUDIT_AUTHENTICATIONS);
        assert_eq!(store.append_audit(&record(None, AuditKind::Action)).await, Ok(1));
        let mut left = Vec::new();
        for position in 201..204 {
            assert_eq!(store.append_audit(&authentication).await, Ok(position));
            left.push((count_rows(&file, "audit"), count_rows(&file, "notices")));
        }
        assert_eq!(left, [(101, 37), (101, 10), (101, 10)]);
        raise_count("audit", MAX_AUDIT_ACTIONS);
        assert_eq!(store.append_audit(&action).await, Ok(204));
        assert_eq!(
            (count_rows(&file, "audit"), count_rows(&file, "notices")),
            (38, 10)
        );
        let kept = store.read_audit(Some(&tenant()), None, 1000).await.unwrap();
        let positions: Vec<u64> = kept.iter().rev().map(|record| record.position).collect();
        let expected: Vec<u64> = (65..=100).chain(194..=204).collect();
        assert_eq!(positions, expected);
    });
}
