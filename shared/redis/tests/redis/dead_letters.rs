//! Tests of dead letters: how many are kept, and how many commands they take.

use leaderboard_core::TenantId;
use leaderboard_core::ports::{DeadLetter, DeadLetters, MAX_DEAD_LETTERS, MAX_DEAD_LETTERS_IN_ALL};
use leaderboard_redis::{RedisStore, Reply};

use crate::counting::CountingConnection;
use crate::server::Server;
use crate::world::{NOW_MS, at};

/// Returns the reply of a command that counts `number` items.
fn count_reply(number: u64) -> [Reply; 1] {
    [Reply::Integer(i64::try_from(number).unwrap())]
}

/// Checks the number of all letters, of their ids and of their digests.
async fn assert_total(server: &Server, number: u64) {
    for key in [
        "HLEN eb::dead-letters",
        "ZCARD eb::dead-letters:ids",
        "HLEN eb::dead-letters:digests",
    ] {
        assert_eq!(server.run_command(key).await, count_reply(number), "{key}");
    }
}

#[tokio::test]
async fn dead_letters_are_bounded_for_each_tenant_and_in_total() {
    let server = Server::start().await;
    let store = server.store().await;
    let letter = |number: u64| DeadLetter {
        at: at(NOW_MS),
        reason: "not JSON".into(),
        payload: number.to_string().into_bytes(),
    };
    let all: Vec<_> = (0..MAX_DEAD_LETTERS + 3).map(letter).collect();
    let mut numbers = 0..;
    for (scope, kept) in [("t0", 1), ("t1", 2)] {
        let tenant = TenantId::new(scope).unwrap();
        for chunk in all.chunks(1000) {
            store.push_dead_letters(Some(&tenant), chunk).await.unwrap();
        }
        let own = store
            .list_dead_letters(Some(&tenant), None, u32::MAX)
            .await
            .unwrap();
        assert_eq!(own.len() as u64, MAX_DEAD_LETTERS);
        assert_eq!(own[0].letter, letter(MAX_DEAD_LETTERS + 2));
        assert_eq!(own[own.len() - 1].letter, letter(3));
        assert_eq!(
            server.run_command("HLEN eb::dead-letters").await,
            count_reply(kept * MAX_DEAD_LETTERS)
        );
    }
    for tenant in 2..=MAX_DEAD_LETTERS_IN_ALL / MAX_DEAD_LETTERS {
        let tenant = TenantId::new(format!("t{tenant}")).unwrap();
        let letters: Vec<_> = numbers.by_ref().take(9_999).map(letter).collect();
        for chunk in letters.chunks(1000) {
            store.push_dead_letters(Some(&tenant), chunk).await.unwrap();
        }
    }
    assert_total(&server, MAX_DEAD_LETTERS_IN_ALL).await;
    // The letters of the last tenants replaced the oldest letters, which are the first tenant's.
    assert_eq!(
        server.run_command("ZCARD eb:t0:dead-letters:own").await,
        count_reply(MAX_DEAD_LETTERS - (9 * 9_999 + 2 * MAX_DEAD_LETTERS - MAX_DEAD_LETTERS_IN_ALL))
    );
    for letter in store.list_dead_letters(None, None, 10).await.unwrap() {
        assert!(store.delete_dead_letter(letter.id).await.unwrap());
        assert!(!store.delete_dead_letter(letter.id).await.unwrap());
    }
    assert_total(&server, MAX_DEAD_LETTERS_IN_ALL - 10).await;
}

#[tokio::test]
async fn a_thousand_dead_letters_are_one_command() {
    let server = Server::start().await;
    let counting = CountingConnection::open(&server).await;
    let store = RedisStore::new(&counting);
    let letters: Vec<_> = (0..1000)
        .map(|number| DeadLetter {
            at: at(NOW_MS),
            reason: "off".into(),
            payload: number.to_string().into_bytes(),
        })
        .collect();
    store.push_dead_letters(None, &letters[..1]).await.unwrap();
    counting.take_sent();
    store.push_dead_letters(None, &letters).await.unwrap();
    assert_eq!(counting.take_sent(), ["FCALL"]);
}
