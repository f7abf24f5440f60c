//! Tests of a failover: the store's address leads to another server, and the old primary becomes a replica.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use leaderboard_test_support::{RedisServer, block_on, wait_until};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use super::{
    connect, message, publish, read_letters, read_scores, score, start_region_at, wait_for_listeners,
};

/// How long one command waits for the replica, in milliseconds: less than the client waits for a reply.
const WAIT_MS: u32 = 100;
/// How many requests may be refused after a failover. Each instance of a component on each worker thread may
/// still have one connection to the old primary. An instance that kept this connection would refuse every
/// request until it ends.
const MAX_REFUSED: u32 = 8;

/// An address that leads to one of two servers, as a virtual address or a proxy does. An open connection
/// stays with its server.
struct Address {
    port: u16,
    target: Arc<AtomicU16>,
}

impl Address {
    /// Opens an address that leads to a server.
    async fn open(server: &RedisServer) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let target = Arc::new(AtomicU16::new(server.port()));
        let current = Arc::clone(&target);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let port = current.load(Ordering::SeqCst);
                tokio::spawn(async move {
                    let target = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
                    let mut server = TcpStream::connect(target).await?;
                    tokio::io::copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
        Self { port, target }
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Makes the address lead to another server.
    fn lead_to(&self, server: &RedisServer) {
        self.target.store(server.port(), Ordering::SeqCst);
    }
}

/// Makes a server a replica of the primary, and waits until the two are connected.
async fn replicate(replica: &RedisServer, primary: &RedisServer) {
    let port = primary.port().to_string();
    send_command(replica, &["REPLICAOF", "127.0.0.1", &port]).await;
    wait_until(
        async || send_command(replica, &["INFO", "replication"]).await,
        |actual| actual.contains("master_link_status:up"),
    )
    .await;
}

/// Sends a command and returns the reply, or an empty text if the reply is not a text.
async fn send_command(server: &RedisServer, words: &[&str]) -> String {
    let mut command = redis::cmd(words[0]);
    for word in &words[1..] {
        command.arg(word);
    }
    let actual: redis::Value = command.query_async(&mut connect(server).await).await.unwrap();
    redis::from_redis_value::<String>(actual).unwrap_or_default()
}

/// Makes the replica the primary, and the old primary its replica. Open connections stay open.
async fn fail_over(address: &Address, old: &RedisServer, new: &RedisServer) {
    // WAIT waits for the writes of its own connection, and for everything before them. A new replica confirms nothing for up to a second.
    let mut connection = connect(old).await;
    let () = redis::cmd("SET")
        .arg("failover")
        .arg(1)
        .query_async(&mut connection)
        .await
        .unwrap();
    let count_copies = async || {
        let mut wait = redis::cmd("WAIT");
        let copies: i64 = wait
            .arg(1)
            .arg(WAIT_MS)
            .query_async(&mut connection.clone())
            .await
            .unwrap();
        copies
    };
    wait_until(count_copies, |copies| *copies == 1).await;
    send_command(new, &["REPLICAOF", "NO", "ONE"]).await;
    replicate(old, new).await;
    address.lead_to(new);
}

#[test]
fn after_a_failover_writes_work_and_no_published_score_is_lost() {
    block_on(async {
        let (events, one, two) = (RedisServer::start(), RedisServer::start(), RedisServer::start());
        replicate(&two, &one).await;
        let address = Address::open(&one).await;
        let region = start_region_at(Some(&address.url()), &events).await;
        wait_for_listeners(&events, 1).await;
        let api = region.api();
        api.create_leaderboard("b", &json!({"operator": "increment"}))
            .await;
        let mut expected = 0;
        let mut roles = (&one, &two);
        for round in 0..2 {
            for n in 0..20 {
                api.submit_score("b", "p", 1).await;
                publish(&events, &message(&api, &[score("p", 1, &format!("{round}/{n}"))])).await;
                expected += 2;
            }
            wait_until(
                async || read_scores(&api).await,
                |list| list == &[("p".to_owned(), expected)],
            )
            .await;

            fail_over(&address, roles.0, roles.1).await;
            roles = (roles.1, roles.0);
            // This message is published before any client has reached the new primary.
            let late = message(&api, &[score("p", 1, &format!("late {round}"))]);
            publish(&events, &late).await;
            expected += 1;
            let mut refused = 0;
            for n in 0..40 {
                let submission = json!({"player": "p", "score": 1, "id": format!("after {round}/{n}")});
                while api.post("/leaderboards/b/scores", &submission).await.status != 200 {
                    refused += 1;
                    assert!(refused <= MAX_REFUSED, "writes are still refused");
                }
                expected += 1;
            }
            wait_until(
                async || read_scores(&api).await,
                |list| list == &[("p".to_owned(), expected)],
            )
            .await;
        }
        assert_eq!(read_letters(&api).await, []);
    });
}
