//! Tests that each operation sends one Redis command. `MONITOR` shows the commands; commands from within
//! scripts do not count.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use leaderboard_test_support::{ApiClient, StoreKind, TestService, block_on};
use serde_json::json;

/// A connection on which Redis reports every command.
struct Monitor {
    reader: BufReader<TcpStream>,
    port: u16,
}

impl Monitor {
    fn start(port: u16) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(b"MONITOR\r\n").unwrap();
        let mut monitor = Self {
            reader: BufReader::new(stream),
            port,
        };
        assert_eq!(monitor.next_line(), "+OK");
        monitor
    }

    /// Returns the next line that Redis sends.
    fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Returns the names of the commands since the last call, without commands from within scripts.
    fn take_commands(&mut self) -> Vec<String> {
        const MARK: &str = "the end of what was to be seen";
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        connection
            .write_all(format!("ECHO \"{MARK}\"\r\n").as_bytes())
            .unwrap();
        let mut commands = Vec::new();
        loop {
            let line = self.next_line();
            if line.contains(MARK) {
                return commands;
            }
            let (from, command) = line.split_once("] ").unwrap();
            if !from.ends_with(" lua") {
                commands.push(command.split('"').nth(1).unwrap().to_uppercase());
            }
        }
    }
}

/// Performs the operation with this description.
async fn perform(api: &ApiClient, operation: &str) {
    let scores = |count: usize| json!({"scores": vec![json!({"player": "p", "score": 1}); count]});
    let several = json!({"player": "p", "score": 1, "leaderboards": ["a", "b"]});
    let answer = match operation {
        "one submission" => {
            api.post("/leaderboards/a/scores", &json!({"player": "p", "score": 1}))
                .await
        }
        "one submission to two leaderboards" => api.post("/scores", &several).await,
        "a batch" => api.post("/leaderboards/a/scores", &scores(10)).await,
        "a page" => api.get("/leaderboards/a/entries").await,
        "a later page" => {
            let first = api.page("a", "?limit=5").await;
            api.get(&format!(
                "/leaderboards/a/entries?limit=5&cursor={}",
                first["next"].as_str().unwrap()
            ))
            .await
        }
        "around" => api.get("/leaderboards/a/entries/p5/around").await,
        "one entry" => api.get("/leaderboards/a/entries/p5").await,
        "some players" => api.get("/leaderboards/a/entries?players=p1,p2,p3").await,
        other => panic!("{other}"),
    };
    assert!(matches!(answer.status, 200 | 207), "{operation}: {answer:?}");
}

#[test]
fn every_operation_sends_one_redis_command() {
    block_on(async {
        let service = TestService::start(StoreKind::Redis).await;
        let api = service.api();
        for board in ["a", "b"] {
            api.create_leaderboard(board, &json!({"operator": "increment"}))
                .await;
            for n in 0..20 {
                api.submit_score(board, &format!("p{n}"), n).await;
            }
        }
        let operations = [
            ("one submission", 1),
            ("one submission to two leaderboards", 1),
            ("a batch", 1),
            ("a page", 1),
            // The first page, which has the cursor, and the later page.
            ("a later page", 2),
            ("around", 1),
            ("one entry", 1),
            ("some players", 1),
        ];
        for (operation, _) in operations {
            // The first run loads scripts and reads configurations, so its commands do not count.
            perform(&api, operation).await;
        }
        let mut monitor = Monitor::start(service.redis.as_ref().unwrap().port());
        for (operation, count) in operations {
            perform(&api, operation).await;
            let commands = monitor.take_commands();
            assert_eq!(commands.len(), count, "{operation}: {commands:?}");
            assert!(
                commands.iter().all(|command| command.starts_with("FCALL")),
                "{operation}: {commands:?}"
            );
        }
    });
}
