//! Runs redis-benchmark with the commands of the native server. It shows what Redis can do without a server
//! in front of it.

use std::cell::RefCell;
use std::io::Write;
use std::process::{Command, Stdio};
use std::rc::Rc;

use anyhow::{Context, Result, anyhow, bail};
use leaderboard_redis::{Connection, ConnectionError, Reply, Signal};
use leaderboard_test_support::native_redis::{NativeRedis, try_connect};

use crate::data::{self, Data};
use crate::native::{self, Library};
use crate::operation::Operation;
use crate::sample::{Case, Load};

/// The fewest requests of a run.
const MIN_REQUESTS: u32 = 5_000;
/// The prefix of the names of the copied library and of its functions.
const COPY_BEGIN: &str = "bench_";
/// The argument with which the library registers the callback of a function.
const CALLBACK: &str = "callback = run";

/// A command: its name and arguments. The last argument can be any bytes.
#[derive(Debug, Clone)]
struct RedisCommand {
    words: Vec<String>,
    last: Vec<u8>,
}

/// A connection that records the last function call. Clones share the record.
#[derive(Clone)]
struct Recorder {
    connection: NativeRedis,
    last_call: Rc<RefCell<Option<RedisCommand>>>,
}

impl Connection for Recorder {
    async fn command(&self, name: &str, arguments: &[&[u8]]) -> Result<Vec<Reply>, ConnectionError> {
        if let ("FCALL", Some((last, others))) = (name, arguments.split_last()) {
            let words = others
                .iter()
                .map(|word| String::from_utf8_lossy(word).into_owned());
            *self.last_call.borrow_mut() = Some(RedisCommand {
                words: std::iter::once(name.to_owned()).chain(words).collect(),
                last: last.to_vec(),
            });
        }
        self.connection.command(name, arguments).await
    }

    async fn pause(&self) {
        self.connection.pause().await;
    }

    fn signal(&self) -> Signal {
        (Box::new(()), Box::pin(std::future::ready(())))
    }
}

/// Measures a case with about `requests` requests, but at least [`MIN_REQUESTS`]. All requests go to the
/// first leaderboard.
pub(crate) async fn run(redis_url: &str, port: u16, data: Data, case: Case, requests: f64) -> Result<Load> {
    let command = match case.operation {
        Operation::Write => record_write(redis_url, data).await?,
        _ => top_ten(),
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the requests of some seconds"
    )]
    let requests = (requests as u32).max(MIN_REQUESTS);
    measure(&command, port, case.connections, requests)
}

/// Returns the command that reads the top ten of the first leaderboard.
fn top_ten() -> RedisCommand {
    let key = native::sorted_set(&data::leaderboard(0));
    let words = ["ZRANGE", &key, "0", "9", "REV"].map(str::to_owned);
    RedisCommand {
        words: words.into(),
        last: b"WITHSCORES".to_vec(),
    }
}

/// Records how the function library submits a score, and loads a copy of the library for redis-benchmark.
/// Returns the command that submits the score by the copy.
async fn record_write(redis_url: &str, data: Data) -> Result<RedisCommand> {
    let recorder = Recorder {
        connection: try_connect(redis_url).await?,
        last_call: Rc::default(),
    };
    let library = Library::new(recorder.clone())?;
    library.submit_one(&data::leaderboard(0), data.player(0)).await?;
    let call = recorder.last_call.borrow_mut().take();
    let mut call = call.context("a submission is no FCALL")?;
    let stand_in = (u8::MIN..=u8::MAX).rev().find(|byte| !call.last.contains(byte));
    let stand_in = stand_in.context("a submission has every byte")?;
    for byte in &mut call.last {
        *byte = if *byte == 0 { stand_in } else { *byte };
    }
    let function = call.words.get_mut(1).context("FCALL names no function")?;
    let (library, _) = function
        .rsplit_once("_SUBMIT")
        .context("the function is SUBMIT")?;
    load_copy(&recorder.connection, library, stand_in).await?;
    function.insert_str(0, COPY_BEGIN);
    Ok(call)
}

/// Loads a copy of a library whose functions replace each byte `stand_in` in the last argument by a zero
/// byte. The copy is needed because redis-benchmark ends an argument at its first zero byte. The replacement
/// takes about a microsecond.
async fn load_copy(connection: &NativeRedis, library: &str, stand_in: u8) -> Result<()> {
    let list = [&b"LIST"[..], b"LIBRARYNAME", library.as_bytes(), b"WITHCODE"];
    let listed = connection.command("FUNCTION", &list).await;
    let listed = listed.map_err(|error| anyhow!("{error:?}"))?;
    let code = listed.windows(2).find_map(|pair| match pair {
        [Reply::Bytes(field), Reply::Bytes(code)] if field == b"library_code" => Some(code),
        _ => None,
    });
    let code = String::from_utf8_lossy(code.context("FUNCTION LIST shows no code")?);
    if !code.contains(CALLBACK) {
        bail!("the library registers its functions in another way");
    }
    let replacing = format!(
        "callback = function(keys, arguments)
           arguments[#arguments] = string.gsub(arguments[#arguments], '\\{stand_in}', '\\0')
           return run(keys, arguments)
         end"
    );
    let copy = code
        .replace(library, &format!("{COPY_BEGIN}{library}"))
        .replace(CALLBACK, &replacing);
    let load = [&b"LOAD"[..], b"REPLACE", copy.as_bytes()];
    let loaded = connection.command("FUNCTION", &load).await;
    loaded.map(drop).map_err(|error| anyhow!("{error:?}"))
}

/// Runs redis-benchmark with a command, and returns what it measured.
fn measure(command: &RedisCommand, port: u16, connections: u32, requests: u32) -> Result<Load> {
    let mut program = Command::new("redis-benchmark")
        .args(["-p", &port.to_string(), "-c", &connections.to_string()])
        .args(["-n", &requests.to_string(), "--csv", "--precision", "3", "-x"])
        .args(&command.words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("redis-benchmark does not start")?;
    if let Some(mut input) = program.stdin.take() {
        input.write_all(&command.last)?;
    }
    let output = program.wait_with_output()?;
    // redis-benchmark ends with a failure at the first error of the server.
    if !output.status.success() {
        return Ok(Load {
            errors: 1,
            ..Load::default()
        });
    }
    read_csv(&String::from_utf8_lossy(&output.stdout), requests).context("the output of redis-benchmark")
}

/// Reads the last line of the output: the name, the requests per second, and the latencies in milliseconds
/// (mean, minimum, p50, p95, p99, maximum).
fn read_csv(output: &str, requests: u32) -> Option<Load> {
    // Read the fields from the end, because the name is the command, which can contain commas.
    let mut fields = output
        .lines()
        .last()?
        .rsplit(',')
        .map(|field| field.trim_matches('"').parse::<f64>().ok());
    let (_max, p99, _p95, p50) = (fields.next()?, fields.next()??, fields.next()?, fields.next()??);
    let requests_per_s = fields.nth(2)??;
    Some(Load {
        requests: requests.into(),
        errors: 0,
        requests_per_s,
        p50_ms: p50,
        p99_ms: p99,
        p999_ms: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_the_end_of_the_line() {
        let output = "\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\",\"p50_latency_ms\"\n\
            \"FCALL a, b\",\"47393.37\",\"0.058\",\"0.016\",\"0.047\",\"0.079\",\"0.127\",\"5.735\"\n";
        let load = read_csv(output, 20).unwrap();
        assert_eq!((load.requests, load.requests_per_s), (20, 47393.37));
        assert_eq!((load.p50_ms, load.p99_ms), (0.047, 0.127));
        assert_eq!(read_csv("", 20), None);
    }
}
