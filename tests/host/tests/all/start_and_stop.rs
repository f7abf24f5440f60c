//! Tests of the start (the cache of compiled components, ports, the selection of components, the program),
//! and of the stop, which loses no request.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use http_body_util::BodyExt;
use leaderboard_host::{Host, StartError};

use crate::http_client::{Connection, get};
use crate::setup::{TestHost, config, manifest};

/// The number of connections that send requests while the host stops.
const CLIENTS: usize = 16;

/// Sends requests until the host stops. Adds the answered requests to `answered`, and returns the number of
/// lost requests.
async fn send_until_stop(
    address: std::net::SocketAddr,
    stopping: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
) -> usize {
    let mut lost = 0;
    'connections: loop {
        if stopping.load(Relaxed) || tokio::net::TcpStream::connect(address).await.is_err() {
            return lost;
        }
        let mut connection = Connection::open(address).await;
        loop {
            let request = connection.get("/probe/sleep?ms=2");
            let Ok(response) = connection.send(request).await else {
                lost += 1;
                return lost;
            };
            let last = response
                .headers()
                .get("connection")
                .is_some_and(|value| value == "close");
            let body = response.into_body().collect().await.map(|body| body.to_bytes());
            match body {
                Ok(body) if body == "slept" => _ = answered.fetch_add(1, Relaxed),
                _ => lost += 1,
            }
            if last {
                continue 'connections;
            }
        }
    }
}

#[tokio::test]
async fn a_stop_under_load_loses_no_request() {
    let host = TestHost::start().await;
    let stopping = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| tokio::spawn(send_until_stop(host.address, stopping.clone(), answered.clone())))
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    stopping.store(true, Relaxed);
    host.stop().await;
    for client in clients {
        assert_eq!(client.await.unwrap(), 0, "requests were lost");
    }
    assert!(answered.load(Relaxed) > CLIENTS);
}

#[tokio::test]
async fn a_stop_waits_for_requests_in_flight_up_to_the_drain_limit() {
    let host = TestHost::start().await;
    let address = host.address;
    let slow = tokio::spawn(async move { get(address, "/probe/sleep?ms=1500").await.body });
    tokio::time::sleep(Duration::from_millis(200)).await;
    host.stop().await;
    assert_eq!(slow.await.unwrap(), "slept");

    let host = TestHost::start_with(|config| config.limits.drain_limit = Duration::from_millis(200)).await;
    let mut connection = Connection::open(host.address).await;
    let request = connection.get("/probe/stream?chunks=1000000&ms=100");
    let response = connection.send(request).await.unwrap();
    host.stop().await;
    assert!(
        response.into_body().collect().await.is_err(),
        "the stream was cut off"
    );
}

#[tokio::test]
async fn damaged_cache_entries_are_compiled_again() {
    let state = tempfile::tempdir().unwrap();
    let cache = state.path().join("cache");
    let mut configuration = config(state.path());
    configuration.cache_dir = Some(cache.clone());
    configuration.only = vec!["hello".to_owned()];
    let start = async || {
        let running = Host::start(configuration.clone()).await.unwrap();
        assert_eq!(get(running.address().unwrap(), "/hello").await.body, "hello");
        running.stop().await;
    };
    let entries = || -> Vec<_> {
        let entries = std::fs::read_dir(&cache)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        entries
            .filter(|path| path.extension().is_some_and(|extension| extension == "cwasm"))
            .collect()
    };
    start().await;
    let [entry] = &entries()[..] else {
        panic!("one component must have one entry")
    };
    let whole = std::fs::read(entry).unwrap();
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for damaged in [&flipped[..], &whole[..100], b""] {
        std::fs::write(entry, damaged).unwrap();
        start().await;
        assert_eq!(
            std::fs::read(entry).unwrap(),
            whole,
            "the damaged entry must be replaced"
        );
    }
    let written = std::fs::metadata(entry).unwrap().modified().unwrap();
    start().await;
    assert_eq!(
        std::fs::metadata(entry).unwrap().modified().unwrap(),
        written,
        "an intact entry must not be written again"
    );
}

#[tokio::test]
async fn hosts_that_start_together_share_one_cache() {
    let states = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let cache = tempfile::tempdir().unwrap();
    let start = async |state: &tempfile::TempDir| {
        let mut configuration = config(state.path());
        configuration.cache_dir = Some(cache.path().join("compiled"));
        configuration.only = vec!["hello".to_owned()];
        Host::start(configuration).await.unwrap()
    };
    let [one, two, three] = &states;
    let (one, two, three) = tokio::join!(start(one), start(two), start(three));
    for running in [one, two, three] {
        assert_eq!(get(running.address().unwrap(), "/hello").await.body, "hello");
        running.stop().await;
    }
    let files: Vec<_> = std::fs::read_dir(cache.path().join("compiled"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    let [entry] = &files[..] else {
        panic!("the cache must contain one entry and no partial file: {files:?}")
    };
    assert_eq!(entry.extension().unwrap(), "cwasm");
}

#[test]
fn a_host_with_another_state_directory_uses_the_cached_component() {
    let caches = tempfile::tempdir().unwrap();
    let entries = || -> Vec<_> {
        let files = std::fs::read_dir(caches.path().join("edgeboard/compiled")).unwrap();
        let files = files.map(|file| file.unwrap());
        files
            .map(|file| (file.file_name(), file.metadata().unwrap().modified().unwrap()))
            .collect()
    };
    let start_and_stop = || {
        let state = tempfile::tempdir().unwrap();
        let mut program = host_program(&manifest(), state.path())
            .args(["--listen", "127.0.0.1:0", "--only", "hello"])
            .env("XDG_CACHE_HOME", caches.path())
            .spawn()
            .unwrap();
        let mut first = String::new();
        let mut out = std::io::BufReader::new(program.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut first).unwrap();
        assert!(first.starts_with("Serving http://"), "{first}");
        program.kill().unwrap();
        program.wait().unwrap();
        assert!(
            !state.path().join("compiled").exists(),
            "the state directory must not contain compiled components"
        );
    };
    start_and_stop();
    let compiled = entries();
    assert_eq!(compiled.len(), 1, "one component must have one entry");
    start_and_stop();
    assert_eq!(entries(), compiled);
}

#[tokio::test]
async fn selected_components_run_and_unknown_components_are_refused() {
    let host = TestHost::start_with(|config| config.only = vec!["hello".to_owned()]).await;
    assert_eq!(host.get("/hello").await.body, "hello");
    assert_eq!(host.get("/probe/x").await.status, http::StatusCode::NOT_FOUND);
    host.stop().await;
    let state = tempfile::tempdir().unwrap();
    let mut without_http = config(state.path());
    without_http.only = vec!["subscriber".to_owned()];
    let running = Host::start(without_http).await.unwrap();
    assert_eq!((running.address(), running.url().as_str()), (None, ""));
    running.stop().await;
    let mut unknown = config(state.path());
    unknown.only = vec!["nobody".to_owned()];
    let error = Host::start(unknown).await.err().unwrap().to_string();
    assert_eq!(error, "--only: there is no [component.nobody]");
}

#[tokio::test]
async fn a_port_in_use_is_reported_in_one_line() {
    let host = TestHost::start().await;
    let state = tempfile::tempdir().unwrap();
    let mut second = config(state.path());
    second.listen = host.address;
    let error = Host::start(second).await.err().unwrap();
    assert!(matches!(error, StartError::PortInUse(address) if address == host.address));
    let expected = format!(
        "{} is already in use: choose another with --listen, or port 0 for a free one",
        host.address
    );
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn the_program_prints_its_address_logs_json_and_stops_on_sigterm() {
    let state = tempfile::tempdir().unwrap();
    let mut program = host_program(&manifest(), state.path())
        .args(["--listen", "127.0.0.1:0", "--log-format", "json", "--cache-dir"])
        .arg(config(state.path()).cache_dir.unwrap())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(program.stdout.take().unwrap()));
    let first = lines.next().unwrap().unwrap();
    let address = first
        .strip_prefix("Serving http://")
        .unwrap_or_else(|| panic!("{first}"))
        .parse()
        .unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "Available Routes:");
    assert_eq!(
        lines.next().unwrap().unwrap(),
        format!("  hello: http://{address}/hello")
    );
    assert_eq!(get(address, "/probe/print?text=line").await.body, "printed");
    let killed = Command::new("kill")
        .args(["-TERM", &program.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let output = program.wait_with_output().unwrap();
    assert!(output.status.success());
    let log = String::from_utf8(output.stderr).unwrap();
    let log: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    for (stream, message) in [("stdout", "out line"), ("stderr", "err line")] {
        assert!(
            log.iter().any(|line| line["component"] == "probe"
                && line["stream"] == stream
                && line["message"] == message),
            "{log:?}"
        );
    }
}

#[test]
fn a_failed_start_prints_one_line_and_exits_with_a_failure() {
    let state = tempfile::tempdir().unwrap();
    let output = host_program(Path::new("/nowhere/spin.toml"), state.path())
        .output()
        .unwrap();
    assert!(!output.status.success());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        stderr,
        "error: /nowhere/spin.toml: cannot read the manifest: No such file or directory (os error 2)\n"
    );
}

#[test]
fn a_failed_start_with_a_json_log_prints_json() {
    let state = tempfile::tempdir().unwrap();
    let output = host_program(Path::new("/nowhere/spin.toml"), state.path())
        .args(["--log-format", "json"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let line: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(line["level"], "error");
    assert_eq!(
        line["message"],
        "/nowhere/spin.toml: cannot read the manifest: No such file or directory (os error 2)"
    );
}

#[test]
fn the_help_lists_the_differences_from_spin() {
    let output = Command::new(env!("CARGO_BIN_EXE_leaderboard-host"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(help.contains("What Spin does and this host does not:"));
    assert!(help.contains("What this host does and Spin does not:"));
}

/// Returns a command that runs the program of the host, with its output on pipes.
fn host_program(manifest: &Path, state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leaderboard-host"));
    command
        .arg("--manifest")
        .arg(manifest)
        .arg("--state-dir")
        .arg(state);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
