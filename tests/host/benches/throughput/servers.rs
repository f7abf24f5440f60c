//! The servers under load, each a process of its own that ends with its handle.

use std::convert::Infallible;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;

use crate::Error;

/// Makes this program the bare server.
pub(crate) const BARE_FLAG: &str = "--bare-server";

/// How long a server may take to start.
const START_LIMIT: Duration = Duration::from_secs(10);

/// Ends a process when it is dropped.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// Starts `command` and takes the address from the first line that it prints.
fn start(command: &mut Command) -> Result<(Ending, SocketAddr), Error> {
    let mut process = Ending(command.stdout(Stdio::piped()).spawn()?);
    let stdout = process.0.stdout.take().ok_or("no output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let address = line
        .trim()
        .strip_prefix("Serving http://")
        .ok_or("the server did not start")?
        .parse()?;
    Ok((process, address))
}

/// A hyper server that answers `hello` and nothing else, set up like the host: a thread and a socket per core.
pub(crate) struct Bare {
    pub(crate) address: SocketAddr,
    _process: Ending,
}

impl Bare {
    pub(crate) fn start() -> Result<Self, Error> {
        let (process, address) = start(Command::new(std::env::current_exe()?).arg(BARE_FLAG))?;
        Ok(Self {
            address,
            _process: process,
        })
    }
}

/// The host with the guests of its tests.
pub(crate) struct HostProcess {
    pub(crate) address: SocketAddr,
    _process: Ending,
    _state: tempfile::TempDir,
}

impl HostProcess {
    pub(crate) fn start(redis: Option<&Redis>) -> Result<Self, Error> {
        let state = tempfile::tempdir()?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_leaderboard-host"));
        command
            .args(["--listen", "127.0.0.1:0", "--manifest"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests.toml"))
            .arg("--state-dir")
            .arg(state.path());
        if let Some(redis) = redis {
            // The address grants the probe access; without subscribers the trigger only waits.
            command.args(["--variable", &format!("redis_address={}", redis.address())]);
        }
        let (process, address) = start(&mut command)?;
        Ok(Self {
            address,
            _process: process,
            _state: state,
        })
    }
}

/// A Redis server on a free port.
pub(crate) struct Redis {
    port: u16,
    _process: Ending,
    _directory: tempfile::TempDir,
}

impl Redis {
    /// `None` when `redis-server` is not installed or does not start.
    pub(crate) fn start() -> Option<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .ok()?
            .local_addr()
            .ok()?
            .port();
        let directory = tempfile::tempdir().ok()?;
        let process = Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--save",
                "",
                "--appendonly",
                "no",
                "--dir",
            ])
            .arg(directory.path())
            .stdout(Stdio::null())
            .spawn()
            .ok()?;
        let server = Self {
            port,
            _process: Ending(process),
            _directory: directory,
        };
        let begun = std::time::Instant::now();
        while begun.elapsed() < START_LIMIT {
            if std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Some(server);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }

    pub(crate) fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

/// Runs the bare server until it is killed.
pub(crate) fn serve_bare() -> Result<(), Error> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let first = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let address = first.local_addr()?;
    let others = (1..cores)
        .map(|_| listen(address))
        .collect::<Result<Vec<_>, _>>()?;
    let mut out = std::io::stdout();
    writeln!(out, "Serving http://{address}")?;
    out.flush()?;
    let threads: Vec<_> = std::iter::once(first)
        .chain(others)
        .map(|listener| std::thread::spawn(move || serve(listener).map_err(|error| error.to_string())))
        .collect();
    for thread in threads {
        thread.join().map_err(|_| "a thread panicked")??;
    }
    Ok(())
}

fn listen(address: SocketAddr) -> Result<TcpListener, std::io::Error> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    Ok(socket.into())
}

fn serve(listener: TcpListener) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new());
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let builder = builder.clone();
            tokio::spawn(async move {
                let hello = service_fn(|_| async {
                    let body = Full::new(Bytes::from_static(b"hello"));
                    let mut response = http::Response::new(body);
                    let text = http::HeaderValue::from_static("text/plain");
                    response.headers_mut().insert(http::header::CONTENT_TYPE, text);
                    Ok::<_, Infallible>(response)
                });
                _ = builder.serve_connection(TokioIo::new(stream), hello).await;
            });
        }
    })
}
