//! The commands that reach a Redis.

use std::error::Error;
use std::net::Ipv4Addr;

use leaderboard_redis::Connection;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;

use crate::RedisServer;
use crate::native_redis::{NativeRedis, connect};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What a command that a script runs is said to come from.
const INSIDE_A_SCRIPT: &str = "lua";

/// A connection on which Redis reports every command.
pub struct Monitor {
    lines: Lines<BufReader<TcpStream>>,
    marker: NativeRedis,
    marks: u32,
}

impl Monitor {
    /// Starts to receive the commands.
    ///
    /// # Errors
    /// When the server is not there.
    pub async fn start(server: &RedisServer) -> Outcome<Self> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).await?;
        stream.write_all(b"MONITOR\r\n").await?;
        Ok(Self {
            lines: BufReader::new(stream).lines(),
            marker: connect(&server.url()).await,
            marks: 0,
        })
    }

    /// The names of the commands that clients send while something is done, those inside scripts aside.
    ///
    /// # Errors
    /// What the work says, or that the server closed the connection.
    pub async fn during(&mut self, work: impl Future<Output = Outcome<()>>) -> Outcome<Vec<String>> {
        let begin = self.mark().await?;
        work.await?;
        let end = self.mark().await?;
        while !self.next_line().await?.contains(&begin) {}
        let mut names = Vec::new();
        loop {
            let line = self.next_line().await?;
            if line.contains(&end) {
                return Ok(names);
            }
            names.extend(sent_by_a_client(&line));
        }
    }

    async fn next_line(&mut self) -> Outcome<String> {
        let line = self.lines.next_line().await?;
        line.ok_or_else(|| "the server closed the connection".into())
    }

    /// A command of our own between the others, and the text to know it by.
    async fn mark(&mut self) -> Outcome<String> {
        self.marks += 1;
        let text = format!("mark {} of the benchmark", self.marks);
        let answer = self.marker.command("ECHO", &[text.as_bytes()]).await;
        answer.map_err(|error| format!("{error:?}"))?;
        Ok(text)
    }
}

/// The command's name in a line such as `+1700000000.000001 [0 127.0.0.1:6000] "GET" "key"`.
fn sent_by_a_client(line: &str) -> Option<String> {
    let (_, rest) = line.split_once(" [")?;
    let (database_and_source, command) = rest.split_once("] ")?;
    let (_, source) = database_and_source.split_once(' ')?;
    let name = command.split('"').nth(1)?;
    (source != INSIDE_A_SCRIPT).then(|| name.to_ascii_uppercase())
}
