//! Tests of damaged data: calls report the damage, and do not fail with another error.

use leaderboard_core::StoreError;
use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Bans, Events, Leaderboards, PageFrom, RankDetail, RateLimits, ReadError, Readiness, Scores,
};
use leaderboard_redis::Reply;
use leaderboard_sqlite::SqliteStore;
use leaderboard_test_support::native_redis;
use leaderboard_test_support::native_sqlite::NativeSqlite;
use leaderboard_test_support::values::{Board, board, player, prepared, submission, tenant, values};
use leaderboard_test_support::{
    RedisBackend, StoreBackend, StoreFixture, block_on, run_on, with_submission_id,
};

use super::{incrementing_board, send_command};

/// Damages each key of the store with the command `damage`, one at a time, and restores it. Asserts that
/// calls report the damage, and that `allowed` accepts each error.
async fn damage_each_key(damage: &[&str], allowed: fn(&StoreError) -> bool) {
    let backend = RedisBackend::new();
    let url = backend.0.url();
    let connection = native_redis::connect(&url).await;
    let fixture = StoreFixture::on(backend).await;
    let board = fixture.put(&incrementing_board("l")).await;
    fixture.submit_score_with_id(&board, "ann", 3, "x").await.unwrap();
    fixture.submit_score_with_id(&board, "bob", 3, "y").await.unwrap();
    fixture.ban("bob").await;
    let keys = send_command(&connection, &["KEYS", "*"]).await;
    assert!(keys.len() > 5, "{keys:?}");
    for key in keys {
        let Reply::Bytes(key) = key else {
            panic!("{key:?} is no key");
        };
        let key = String::from_utf8(key).unwrap();
        send_command(&connection, &["COPY", &key, "kept", "REPLACE"]).await;
        send_command(&connection, &["DEL", &key]).await;
        let command: Vec<&str> = damage
            .iter()
            .map(|word| if *word == "KEY" { &key } else { *word })
            .collect();
        send_command(&connection, &command).await;
        let errors = collect_errors(&fixture, &board).await;
        // Only a new configuration reads the key with the last version.
        assert!(
            !errors.is_empty() || key.ends_with(":version"),
            "{key} went unnoticed"
        );
        for error in errors {
            assert!(allowed(&error), "{key}: {error:?}");
        }
        send_command(&connection, &["COPY", "kept", &key, "REPLACE"]).await;
    }
}

/// Makes calls of all kinds and returns their errors.
async fn collect_errors<B: StoreBackend>(fixture: &StoreFixture<B>, board: &Board) -> Vec<StoreError> {
    let (store, tenant, id) = (&fixture.store, &fixture.tenant, &board.value.id);
    let fresh = prepared(&submission(&[board], "ann", &[1]), &[board], fixture.now());
    let replayed = with_submission_id(fresh.clone(), "x");
    let errors = [
        store.submit(tenant, &[replayed], RankDetail::Full).await.err(),
        store.submit(tenant, &[fresh], RankDetail::Full).await.err(),
        Leaderboards::get(store, tenant, id).await.err(),
        store.list(tenant, None, 10).await.err(),
        Events::read(store, tenant, id, 0, 10).await.err(),
        store.periods(tenant, id, fixture.now()).await.err(),
        store.usage(tenant, 10).await.err(),
        store.list_bans(tenant, None, 10, fixture.now()).await.err(),
    ];
    let mut errors: Vec<_> = errors.into_iter().flatten().collect();
    errors.extend(collect_errors_of_reads(fixture, board).await);
    errors
}

/// Reads a period in all ways and returns the errors.
async fn collect_errors_of_reads<B: StoreBackend>(
    fixture: &StoreFixture<B>,
    board: &Board,
) -> Vec<StoreError> {
    let (store, period, ann) = (&fixture.store, fixture.current_period(board), player("ann"));
    let period_ref = fixture.period_ref(board, &period);
    let tuple = board.value.layout().tuple(&values(&[1]));
    let players = std::slice::from_ref(&ann);
    let errors = [
        store
            .page(&period_ref, &PageFrom::Top, 10, &Caller::Anonymous)
            .await
            .err(),
        store.around(&period_ref, &ann, 5, &Caller::Server).await.err(),
        store
            .entries_by_player(&period_ref, players, &Caller::Server)
            .await
            .err(),
        store.sample(&period_ref, &[0, 500]).await.err(),
        store.positions(&period_ref, &[tuple]).await.err(),
    ];
    let store_error = |error| match error {
        ReadError::Store(error) => Some(error),
        ReadError::StaleConfiguration => None,
    };
    errors.into_iter().flatten().filter_map(store_error).collect()
}

#[test]
fn a_key_of_a_wrong_type_is_corrupt() {
    block_on(damage_each_key(&["SET", "KEY", "nonsense"], |error| {
        matches!(error, StoreError::Corrupt(_))
    }));
    block_on(damage_each_key(&["RPUSH", "KEY", "nonsense"], |error| {
        matches!(error, StoreError::Corrupt(_))
    }));
}

#[test]
fn garbage_in_a_hash_is_an_error() {
    run_on(async |fixture: StoreFixture<RedisBackend>| {
        let connection = native_redis::connect(&fixture.backend.0.url()).await;
        let board = fixture.put(&incrementing_board("l")).await;
        fixture.submit_score(&board, "ann", 3).await;
        let keys = send_command(&connection, &["KEYS", "eb:*"]).await;
        let mut broken = 0;
        for key in keys {
            let Reply::Bytes(key) = key else {
                panic!("{key:?} is no key");
            };
            let key = String::from_utf8(key).unwrap();
            if send_command(&connection, &["TYPE", &key]).await != [Reply::Status("hash".into())] {
                continue;
            }
            for field in send_command(&connection, &["HKEYS", &key]).await {
                let Reply::Bytes(field) = field else {
                    panic!("{field:?} is no field");
                };
                let field = String::from_utf8_lossy(&field).into_owned();
                send_command(&connection, &["COPY", &key, "kept", "REPLACE"]).await;
                send_command(&connection, &["HSET", &key, &field, "?"]).await;
                for error in collect_errors(&fixture, &board).await {
                    assert!(
                        matches!(&error, StoreError::Corrupt(_)),
                        "{key} {field}: {error:?}"
                    );
                    broken += 1;
                }
                send_command(&connection, &["COPY", "kept", &key, "REPLACE"]).await;
            }
        }
        assert!(broken > 0, "no call reported the garbage");
    });
}

#[test]
fn a_file_that_is_no_database_is_corrupt() {
    block_on(async {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "this is no database ".repeat(500)).unwrap();
        let store = SqliteStore::new(NativeSqlite::open(file.path()).unwrap());
        let read = Leaderboards::get(&store, &tenant("acme"), &board("l").id).await;
        assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
        assert!(matches!(store.check_ready().await, Err(StoreError::Corrupt(_))));
    });
}
