//! Tests of instances that end in the middle of a group. An acknowledged submission is applied once. A client can send
//! any other submission again, which is then applied once.

use std::cell::Cell;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use leaderboard_host::OneOf;
use leaderboard_test_support::{
    ADMIN_KEY, ApiClient, HttpTransport, RedisServer, StoreKind, TestService, Transport, built_program,
    project_root, state_dir, target_dir, wait_until,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::cases::on_both_kinds;

/// How many senders submit at the same time. An instance serves up to 16 requests at a time.
const SENDERS: usize = 32;
/// How many players there are.
const PLAYERS: usize = 5;
/// How often the host is killed, and how many submissions it acknowledges before.
const KILLS: usize = 4;
const ACKNOWLEDGED_BEFORE_END: usize = 100;
/// How long a request may take before its instance ends.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(1);

/// The program of the host, in a process of its own.
struct HostProcess {
    process: Child,
    url: String,
    /// The host writes to its output, so the output stays open.
    _output: BufReader<ChildStdout>,
}

impl HostProcess {
    /// Starts a host whose only thread serves all requests.
    fn start(state: &Path, redis: Option<&RedisServer>) -> Self {
        let mut command = Command::new(built_program("leaderboard-host"));
        command.args(["--listen", "127.0.0.1:0", "--workers", "1", "--manifest"]);
        command.arg(project_root().join("spin.toml"));
        command.arg("--state-dir").arg(state);
        command.arg("--cache-dir").arg(target_dir().join("tmp/compiled"));
        command.args(["--variable", &format!("admin_key={ADMIN_KEY}")]);
        if let Some(redis) = redis {
            command.args(["--variable", &format!("redis_url={}", redis.url())]);
        }
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let url = line
            .trim_end()
            .strip_prefix("Serving ")
            .unwrap_or_else(|| panic!("{line}"));
        Self {
            process,
            url: url.to_owned(),
            _output: output,
        }
    }
}

impl Drop for HostProcess {
    /// Kills the host with SIGKILL.
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A submission that was sent at least once.
struct Sent {
    submission: Value,
    /// The outcome; `None` if the submission was not acknowledged.
    outcome: Option<Value>,
}

/// Sends a submission. Returns its outcome, or `None` if it is not acknowledged.
async fn submit(http: &HttpTransport, tenant: &str, submission: &Value) -> Option<Value> {
    let request = http::Request::post(format!("{}/api/v1/leaderboards/b/scores", http.url()))
        .header("x-api-key", ADMIN_KEY)
        .header("x-tenant-id", tenant)
        .header("content-type", "application/json")
        .body(submission.to_string().into());
    // The response of a host whose instance has ended does not follow the description of the API, so an `ApiClient`
    // would refuse it.
    let response = http.send(request.unwrap()).await.ok()?;
    let is_acknowledged = response.status() == 200;
    assert!(
        is_acknowledged || response.status().is_server_error(),
        "{response:?}"
    );
    is_acknowledged.then(|| serde_json::from_slice(response.body()).unwrap())
}

/// Adds 1 to a player again and again, each time in a submission with its own id, until a submission is not acknowledged.
async fn submit_until_end(api: ApiClient, sender: String, acknowledged: Rc<Cell<usize>>) -> Vec<Sent> {
    let http = HttpTransport::new(api.url());
    let mut all: Vec<Sent> = Vec::new();
    while all.last().is_none_or(|sent| sent.outcome.is_some()) {
        let player = format!("p{}", acknowledged.get() % PLAYERS);
        let id = format!("{sender}/{}", all.len());
        let submission = json!({"player": player, "score": 1, "id": id});
        let outcome = submit(&http, &api.tenant, &submission).await;
        acknowledged.set(acknowledged.get() + usize::from(outcome.is_some()));
        all.push(Sent { submission, outcome });
    }
    all
}

/// Starts the senders, and waits until some submissions are acknowledged. Returns the senders' tasks.
async fn start_senders(api: &ApiClient, round: usize) -> JoinSet<Vec<Sent>> {
    let acknowledged = Rc::new(Cell::new(0));
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let sender = format!("{round}/{sender}");
        senders.spawn_local(submit_until_end(api.clone(), sender, Rc::clone(&acknowledged)));
    }
    while acknowledged.get() < ACKNOWLEDGED_BEFORE_END {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    senders
}

/// Sends each submission again, and checks that all of them are applied exactly once.
async fn check_submissions(api: &ApiClient, all: &[Sent]) {
    let http = HttpTransport::new(api.url());
    let mut versions = Vec::new();
    for Sent { submission, outcome } in all {
        let send = async || submit(&http, &api.tenant, submission).await;
        // The circuit breaker of the service can still be open.
        let mut repeated = wait_until(send, Option::is_some).await.unwrap();
        let was_applied = repeated["replayed"].take();
        if let Some(outcome) = outcome {
            assert_eq!(
                was_applied, true,
                "an acknowledged submission is lost: {submission}"
            );
            repeated["replayed"] = json!(false);
            assert_eq!(repeated, *outcome);
        }
        let again = api.submit("b", submission).await;
        assert_eq!(
            (&again["replayed"], &again["version"]),
            (&json!(true), &repeated["version"])
        );
        versions.push(repeated["version"].as_u64().unwrap());
    }
    versions.sort_unstable();
    versions.dedup();
    assert_eq!(
        versions.len(),
        all.len(),
        "each submission is an event of its own"
    );
    let sum: i64 = api.list_entries("b").await.iter().map(|entry| entry.score).sum();
    assert_eq!(usize::try_from(sum), Ok(all.len()));
}

/// Creates the leaderboard, and switches off the limits of callers.
async fn set_up(api: &ApiClient) {
    api.switch_limits_off().await;
    api.create_leaderboard("b", &json!({"operator": "increment"}))
        .await;
}

/// Kills the host while it applies submissions. The store is then as the host left it.
async fn submissions_count_once_when_the_host_is_killed(store: StoreKind) {
    let redis = (store == StoreKind::Redis).then(RedisServer::start);
    let state = state_dir();
    let mut host = HostProcess::start(state.path(), redis.as_ref());
    let mut api = ApiClient::over_http(&host.url);
    set_up(&api).await;
    let mut all = Vec::new();
    for round in 0..KILLS {
        let senders = start_senders(&api, round).await;
        drop(host);
        all.extend(senders.join_all().await.into_iter().flatten());
        host = HostProcess::start(state.path(), redis.as_ref());
        api = ApiClient::over_http(&host.url).for_tenant(&api.tenant);
        check_submissions(&api, &all).await;
    }
}

/// Keeps the store from answering until the host has ended the instance, with a group under way and others waiting.
async fn submissions_count_once_when_an_instance_is_ended(store: StoreKind) {
    let redis = (store == StoreKind::Redis).then(RedisServer::start);
    let mut service = TestService::start_configured(redis, |config| {
        config.workers = 1;
        config.reuse.request_timeout = Some(OneOf::Value(REQUEST_TIMEOUT));
    })
    .await;
    let api = service.api();
    set_up(&api).await;
    let senders = start_senders(&api, 0).await;
    let lock = rusqlite::Connection::open(service.state.path().join("sqlite_db.db")).unwrap();
    match &mut service.redis {
        Some(redis) => redis.hang(),
        None => lock.execute_batch("BEGIN IMMEDIATE").unwrap(),
    }
    let all: Vec<Sent> = senders.join_all().await.into_iter().flatten().collect();
    // An instance whose requests have no response ends after another timeout.
    tokio::time::sleep(2 * REQUEST_TIMEOUT).await;
    match &mut service.redis {
        Some(redis) => redis.resume(),
        None => lock.execute_batch("ROLLBACK").unwrap(),
    }
    check_submissions(&api, &all).await;
}

on_both_kinds! {
    submissions_count_once_when_the_host_is_killed
    submissions_count_once_when_an_instance_is_ended
}
