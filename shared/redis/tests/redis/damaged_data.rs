//! Tests that each operation reports damaged data and writes nothing.

use std::collections::BTreeSet;
use std::rc::Rc;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Ban, Bans, Events, Expected, Leaderboards, PageFrom, PutLeaderboard, RankDetail, RateLimits, ReadError,
    Scores, SubmitOptions,
};
use leaderboard_core::{Leaderboard, PeriodId, StoreError, Ties, UnknownEvent, Values, Versioned};
use leaderboard_redis::{Connection, RedisStore, Reply};
use leaderboard_test_support::with_submission_id;

use crate::native_redis::NativeRedis;
use crate::server::Server;
use crate::world::{
    DAY_MS, NOW_MS, at, charge_request, hourly_charge, make_period_ref, player, prepare, put,
    simple_leaderboard, submit_options, tenant,
};

#[tokio::test]
async fn damaged_data_is_an_error_and_nothing_is_written() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &simple_leaderboard("a")).await;
    let prefix = "eb:acme:b:a:";
    // The second value says whether a read also finds the damage.
    let damages = [
        ("SET {}v:all x", true),
        ("SET {}h:all x", false),
        ("SET {}e:all x", false),
        ("SET {}m:all x", true),
        ("SET {}periods x", false),
        ("SET {}log x", false),
        ("SET {}doc x", true),
        ("HSET {}m:all l garbage v 1", true),
        ("HSET {}m:all l x v 1", true),
        ("HSET {}e:all p garbage", true),
        ("HSET {}e:all p \u{1}", true),
        ("HSET {}m:all v many", true),
    ];
    for (command, read_too) in damages {
        server.run_command("FLUSHALL").await;
        let board = put(&store, &board.value).await;
        let first = prepare(&board, "p", 5, NOW_MS);
        if command.starts_with("HSET") {
            store
                .submit(&tenant(), std::slice::from_ref(&first), RankDetail::Full)
                .await
                .unwrap();
        }
        let key = command.split(' ').nth(1).unwrap().replace("{}", prefix);
        if command.starts_with("SET") {
            server.run_command(&format!("DEL {key}")).await;
        }
        server.run_command(&command.replace("{}", prefix)).await;
        let dump = server.digest().await;
        let results = store.submit(&tenant(), &[first], RankDetail::Full).await;
        assert!(
            matches!(results, Err(StoreError::Corrupt(_))),
            "{command}: {results:?}"
        );
        assert_eq!(server.digest().await, dump, "{command}");
        let (tenant, all) = (tenant(), PeriodId::all_time());
        let period_ref = make_period_ref(&tenant, &board, &all);
        let around = store.around(&period_ref, &player("p"), 5, &Caller::Server).await;
        let is_error = matches!(around, Err(ReadError::Store(StoreError::Corrupt(_))));
        assert_eq!(is_error, read_too, "{command}: {around:?}");
    }
}

/// A change that is tried on damaged data.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// Repeats the submission with which the test begins.
    Begin,
    /// Submits a score of a player without an entry.
    First,
    /// Submits a score of a player with an entry.
    Further,
    Remove,
    Put,
    Delete,
    Ban,
    /// Reports a request that has been served.
    Report,
}

impl Change {
    const ALL: [Self; 8] = [
        Self::Begin,
        Self::First,
        Self::Further,
        Self::Remove,
        Self::Put,
        Self::Delete,
        Self::Ban,
        Self::Report,
    ];
}

/// Tries a change. Returns the error, or `None` if the change succeeds.
async fn try_change(
    store: &RedisStore<NativeRedis>,
    board: &Rc<Versioned<Leaderboard>>,
    change: Change,
) -> Option<StoreError> {
    let (tenant, all) = (tenant(), PeriodId::all_time());
    let mut used = charge_request(vec![hourly_charge("player", 9, 1)]);
    used.usage.scores = 1;
    let score = async |name: &str, value: i64| {
        let one = prepare(board, name, value, NOW_MS);
        let one = [with_submission_id(one, &format!("{name} {value}"))];
        let options = SubmitOptions {
            charge_request: used.clone(),
            max_tenant_entries: Some(10),
            max_log_bytes: Some(1 << 30),
            ..submit_options()
        };
        store.submit_with_options(&tenant, &one, &options).await.err()
    };
    match change {
        Change::Begin => score("p", 5).await,
        Change::First => score("new", 5).await,
        Change::Further => score("p", 6).await,
        Change::Remove => {
            let period_ref = make_period_ref(&tenant, board, &all);
            let removed = store.remove(&period_ref, &player("p"), at(NOW_MS)).await;
            removed.err().and_then(|error| match error {
                ReadError::Store(error) => Some(error),
                ReadError::StaleConfiguration | ReadError::Replica(_) => None,
            })
        }
        Change::Put => {
            let mut other = board.value.clone();
            other.title.push('!');
            let put = PutLeaderboard {
                max_leaderboards: None,
                tenant: &tenant,
                leaderboard: &other,
                expected: Expected::Any,
                current: &all,
                rebuild: true,
                verified: None,
                expiries: &[(all.clone(), Some(at(NOW_MS + DAY_MS)))],
                at: at(NOW_MS),
            };
            store.put(&put).await.err()
        }
        Change::Delete => store.delete(&tenant, &board.value.id, Expected::Any).await.err(),
        Change::Ban => store.ban(&tenant, &Ban::new(player("p"), at(NOW_MS))).await.err(),
        Change::Report => store.report(&tenant, &used).await.err(),
    }
}

/// Runs the operations that only read. Returns their errors.
async fn find_read_errors(
    store: &RedisStore<NativeRedis>,
    board: &Rc<Versioned<Leaderboard>>,
) -> Vec<StoreError> {
    let (tenant, all, id) = (tenant(), PeriodId::all_time(), &board.value.id);
    let errors = [
        store.usage(&tenant, 10).await.err(),
        store.list_bans(&tenant, None, 10, at(NOW_MS)).await.err(),
        store.find_ban(&tenant, &player("q"), at(NOW_MS)).await.err(),
        store.periods(&tenant, id, at(NOW_MS)).await.err(),
        Leaderboards::get(store, &tenant, id).await.err(),
        store.list(&tenant, None, 10).await.err(),
        store.read(&tenant, id, 0, 10).await.err(),
    ];
    let period_ref = make_period_ref(&tenant, board, &all);
    let players = [player("p")];
    let tuple = board.value.layout().tuple(&Values::new(vec![5]));
    let errors_of_period = [
        store
            .page(&period_ref, &PageFrom::Top, 10, &Caller::Anonymous)
            .await
            .err(),
        store
            .around(&period_ref, &player("p"), 5, &Caller::Server)
            .await
            .err(),
        store
            .entries_by_player(&period_ref, &players, &Caller::Server)
            .await
            .err(),
        store.sample(&period_ref, &[0, 500]).await.err(),
        store.positions(&period_ref, &[tuple]).await.err(),
    ];
    let errors_of_period = errors_of_period
        .into_iter()
        .flatten()
        .filter_map(|error| match error {
            ReadError::Store(error) => Some(error),
            ReadError::StaleConfiguration | ReadError::Replica(_) => None,
        });
    errors.into_iter().flatten().chain(errors_of_period).collect()
}

/// A damage to stored data: a key of another type, or a field that is not a number.
struct Damage {
    key: String,
    /// The name of the field, or the type that the whole key has.
    shown_field: String,
    command: &'static str,
    arguments: Vec<Vec<u8>>,
}

impl Damage {
    /// Restores a backup, and then damages it.
    async fn apply(&self, server: &Server, backup: &[(Reply, Vec<Reply>)]) {
        server.restore(backup).await;
        let connection = server.connection().await;
        if self.command != "HSET" {
            connection.command("DEL", &[self.key.as_bytes()]).await.unwrap();
        }
        let arguments: Vec<&[u8]> = self.arguments.iter().map(Vec::as_slice).collect();
        connection.command(self.command, &arguments).await.unwrap();
    }
}

/// Lists the damages to each key of a backup.
async fn list_damages(server: &Server, backup: &[(Reply, Vec<Reply>)]) -> Vec<Damage> {
    let connection = server.connection().await;
    let mut damages = Vec::new();
    server.restore(backup).await;
    for (key, _) in backup {
        let Reply::Bytes(key) = key else {
            panic!("{key:?} is no key")
        };
        let name = String::from_utf8(key.clone()).unwrap();
        for (command, shown_field) in [("SET", "whole"), ("RPUSH", "whole list")] {
            damages.push(Damage {
                key: name.clone(),
                shown_field: shown_field.to_owned(),
                command,
                arguments: vec![key.clone(), b"nonsense".to_vec()],
            });
        }
        if server.run_command(&format!("TYPE {name}")).await == [Reply::Status("hash".into())] {
            for field in connection.command("HKEYS", &[key]).await.unwrap() {
                let Reply::Bytes(field) = field else {
                    panic!("{field:?} is no field")
                };
                damages.push(Damage {
                    key: name.clone(),
                    shown_field: String::from_utf8_lossy(&field).into_owned(),
                    command: "HSET",
                    arguments: vec![key.clone(), field, b"?".to_vec()],
                });
            }
        }
    }
    damages
}

/// Tries a change on damaged data. Returns whether the change reports the damage. Checks that a change that
/// reports the damage has written nothing.
async fn change_reports_damage(
    server: &Server,
    store: &RedisStore<NativeRedis>,
    board: &Rc<Versioned<Leaderboard>>,
    tried: Change,
    damage: &str,
) -> bool {
    let before = server.digest().await;
    let Some(error) = try_change(store, board, tried).await else {
        return false;
    };
    assert!(
        matches!(error, StoreError::Corrupt(_)),
        "{tried:?} {damage}: {error:?}"
    );
    assert!(
        server.digest().await == before,
        "{tried:?} {damage} has written: {error:?}"
    );
    true
}

/// The changes that reported a damage, each with the key and the field of the damage.
type Reports = BTreeSet<(String, String, String)>;

#[tokio::test]
async fn a_damage_is_reported_before_anything_is_written() {
    let server = Server::start().await;
    let store = server.store().await;
    let mut dense = simple_leaderboard("a");
    dense.ties = Ties::Dense;
    let board = put(&store, &dense).await;
    assert_eq!(try_change(&store, &board, Change::Begin).await, None);
    let mut banned = Ban::new(player("q"), at(NOW_MS));
    banned.expires_at = Some(at(NOW_MS + DAY_MS));
    store.ban(&tenant(), &banned).await.unwrap().unwrap();
    let backup = server.digest().await;
    let mut reports = Reports::new();
    for damage in list_damages(&server, &backup).await {
        let shown = format!("{} {}", damage.key, damage.shown_field);
        damage.apply(&server, &backup).await;
        let read_errors = find_read_errors(&store, &board).await;
        for error in &read_errors {
            assert!(matches!(error, StoreError::Corrupt(_)), "read {shown}: {error:?}");
        }
        let mut is_reported = !read_errors.is_empty();
        for tried in Change::ALL {
            damage.apply(&server, &backup).await;
            if change_reports_damage(&server, &store, &board, tried, &shown).await {
                is_reported = true;
                let key = damage.key.replace("eb:acme:", "");
                reports.insert((format!("{tried:?}"), key, damage.shown_field.clone()));
            }
        }
        assert!(is_reported || damage.command == "HSET", "{shown} went unnoticed");
    }
    assert_damage_is_reported(&reports);
}

/// Checks that each change reports every damaged counter to which it adds.
fn assert_damage_is_reported(reports: &Reports) {
    for (key, field, by) in [
        (
            "b:a:doc",
            "n",
            &["First", "Further", "Remove", "Put", "Delete"][..],
        ),
        ("b:a:doc", "f", &["First", "Further", "Remove", "Put"]),
        ("b:a:doc", "s", &["First", "Further", "Remove"]),
        ("b:a:ids1", "", &["First", "Further"]),
        (
            "log_bytes",
            "e",
            &["First", "Further", "Remove", "Put", "Delete", "Ban"],
        ),
        ("b:a:ids1", "\u{1}", &["First", "Further", "Delete"]),
        ("log_bytes", "b20513", &["First", "Further", "Delete"]),
        ("entry-counts", "", &["First", "Remove", "Put", "Delete"]),
        ("entry-counts", "a:all", &["First", "Remove", "Delete"]),
        ("b:a:m:all", "v", &["First", "Further", "Remove", "Put"]),
        ("bans:state", "n", &["Ban"]),
        ("bans:state", "x", &["First", "Further", "Remove", "Ban"]),
    ] {
        for by in by {
            let expected = ((*by).to_owned(), key.to_owned(), field.to_owned());
            assert!(reports.contains(&expected), "{expected:?} is not in {reports:#?}");
        }
    }
    // The names of the fields of the tuple and of the day's usage differ in each run.
    for (key, by) in [
        ("b:a:c:all", &["First", "Further", "Remove"][..]),
        ("usage", &["First", "Further", "Report"]),
    ] {
        for by in by {
            let mut all = reports.iter();
            assert!(
                all.any(|(tried, name, _)| tried == by && name == key),
                "{by} {key}: {reports:#?}"
            );
        }
    }
}

#[tokio::test]
async fn a_damaged_configuration_or_event_is_an_error() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &simple_leaderboard("a")).await;
    server.run_command("HSET eb:acme:b:a:doc b garbage").await;
    let actual = Leaderboards::get(&store, &tenant(), &board.value.id).await;
    assert!(matches!(actual, Err(StoreError::Corrupt(_))), "{actual:?}");
    let listed = Leaderboards::list(&store, &tenant(), None, 5).await;
    assert!(matches!(listed, Err(StoreError::Corrupt(_))), "{listed:?}");
    server.run_command("XADD eb:acme:b:a:log 0-* e \x06garbage").await;
    let events = store.read(&tenant(), &board.value.id, 0, 5).await;
    assert!(matches!(events, Err(StoreError::Corrupt(_))), "{events:?}");
}

#[tokio::test]
async fn an_event_of_a_newer_version_is_read_without_its_content() {
    let server = Server::start().await;
    let store = server.store().await;
    let board = put(&store, &simple_leaderboard("a")).await;
    server
        .run_command("XADD eb:acme:b:a:log 0-* e \x7f\x02content")
        .await;
    let prepared = [prepare(&board, "p", 1, NOW_MS)];
    store
        .submit(&tenant(), &prepared, RankDetail::Full)
        .await
        .unwrap();
    let log = store.read(&tenant(), &board.value.id, 0, 5).await.unwrap();
    let read = |at: usize| (log[at].position, log[at].event.is_ok());
    assert_eq!([0, 1, 2].map(read), [(1, true), (2, false), (3, true)]);
    let recorded_at = Some(at(1));
    assert_eq!(
        (log[1].schema_version, &log[1].event),
        (0x7f, &Err(UnknownEvent { recorded_at }))
    );
}
