//! Starting: cache, ports, selection, the program. Stopping: nothing is lost.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use http_body_util::BodyExt;
use leaderboard_host::{Host, StartError};

use crate::http_client::{Connection, get};
use crate::setup::{TestHost, config, manifest};

/// Connections that send requests while the host stops.
const CLIENTS: usize = 16;

/// Sends requests until the host refuses connections; counts the answered and the lost.
async fn client(
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
        .map(|_| tokio::spawn(client(host.address, stopping.clone(), answered.clone())))
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
async fn a_stop_waits_for_what_is_in_flight_and_no_longer_than_the_limit() {
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
        panic!("one component, one entry")
    };
    let whole = std::fs::read(entry).unwrap();
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for damaged in [&flipped[..], &whole[..100], b""] {
        std::fs::write(entry, damaged).unwrap();
        start().await;
        assert_eq!(std::fs::read(entry).unwrap(), whole, "the entry was made again");
    }
    let written = std::fs::metadata(entry).unwrap().modified().unwrap();
    start().await;
    assert_eq!(
        std::fs::metadata(entry).unwrap().modified().unwrap(),
        written,
        "a good entry is used"
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
        panic!("one entry and nothing partial: {files:?}")
    };
    assert_eq!(entry.extension().unwrap(), "cwasm");
}

#[test]
fn another_state_directory_compiles_nothing_again() {
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
        let mut program = program(&manifest(), state.path())
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
            "nothing of it is in the state"
        );
    };
    start_and_stop();
    let compiled = entries();
    assert_eq!(compiled.len(), 1, "one component, one entry");
    start_and_stop();
    assert_eq!(entries(), compiled);
}

#[tokio::test]
async fn only_selects_components() {
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
async fn a_port_in_use_is_one_clear_line() {
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
    let mut program = program(&manifest(), state.path())
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
fn a_wrong_start_is_one_line_and_a_failure() {
    let state = tempfile::tempdir().unwrap();
    let output = program(Path::new("/nowhere/spin.toml"), state.path())
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
fn with_a_log_in_json_a_wrong_start_is_json_as_well() {
    let state = tempfile::tempdir().unwrap();
    let output = program(Path::new("/nowhere/spin.toml"), state.path())
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
fn help_tells_what_is_different_from_spin() {
    let output = Command::new(env!("CARGO_BIN_EXE_leaderboard-host"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(help.contains("What Spin does and this host does not:"));
    assert!(help.contains("What this host does and Spin does not:"));
}

fn program(manifest: &Path, state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leaderboard-host"));
    command
        .arg("--manifest")
        .arg(manifest)
        .arg("--state-dir")
        .arg(state);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
