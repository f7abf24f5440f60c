//! Messages that could not be applied: the [`DeadLetters`] port.

use leaderboard_core::StoreError;
use leaderboard_core::codec::{Malformed, Reader, Writer};
use leaderboard_core::ports::{DeadLetter, DeadLetters, IDEMPOTENCY_MS, MAX_DEAD_LETTERS};

use crate::RedisStore;
use crate::answer::{Answer, corrupt};
use crate::connection::Connection;
use crate::keys;
use crate::script::{BURY, Call};

/// What stands before a letter in the list: the digest (SHA-1) and the instant as a double.
const HEAD_BYTES: usize = 20 + 8;

impl<C: Connection> DeadLetters for RedisStore<C> {
    async fn bury(&self, letter: &DeadLetter) -> Result<(), StoreError> {
        let mut call = Call::on(keys::letters());
        call.bytes(digest(letter));
        call.text(&letter.at.as_unix_ms());
        call.bytes(encode(letter));
        call.text(&MAX_DEAD_LETTERS);
        call.text(&IDEMPOTENCY_MS);
        BURY.run(&self.connection, &call).await?;
        Ok(())
    }

    async fn letters(&self, limit: u32) -> Result<Vec<DeadLetter>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let [key, _] = keys::letters();
        let last = (limit - 1).to_string();
        let replies = self
            .connection
            .command("LRANGE", &[&key, b"0", last.as_bytes()])
            .await?;
        let mut answer = Answer::new(replies);
        let mut letters = Vec::with_capacity(answer.left());
        while !answer.is_empty() {
            let bytes = answer.bytes()?;
            let letter = bytes.get(HEAD_BYTES..).ok_or_else(|| corrupt("dead letter"))?;
            letters.push(decode(letter).map_err(corrupt)?);
        }
        Ok(letters)
    }
}

/// The same for letters of the same reason and payload.
fn digest(letter: &DeadLetter) -> [u8; 20] {
    let mut hash = sha1_smol::Sha1::new();
    hash.update(&(letter.reason.len() as u64).to_be_bytes());
    hash.update(letter.reason.as_bytes());
    hash.update(&letter.payload);
    hash.digest().bytes()
}

fn encode(letter: &DeadLetter) -> Vec<u8> {
    let mut w = Writer::default();
    w.timestamp(letter.at);
    w.text(&letter.reason);
    w.bytes(&letter.payload);
    w.finish()
}

fn decode(bytes: &[u8]) -> Result<DeadLetter, Malformed> {
    let mut r = Reader::new(bytes);
    let letter = DeadLetter {
        at: r.timestamp()?,
        reason: r.text()?.to_owned(),
        payload: r.bytes()?.to_vec(),
    };
    r.end()?;
    Ok(letter)
}
