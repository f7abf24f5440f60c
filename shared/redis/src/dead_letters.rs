//! Messages that could not be applied: the [`DeadLetters`] port.

use leaderboard_core::codec::{Malformed, Reader, Writer};
use leaderboard_core::ports::{
    DeadLetter, DeadLetters, IDEMPOTENCY_MS, MAX_DEAD_LETTERS, MAX_DEAD_LETTERS_IN_ALL, StoredDeadLetter,
};
use leaderboard_core::{StoreError, TenantId};

use crate::RedisStore;
use crate::answer::{Answer, corrupt, decimal};
use crate::connection::Connection;
use crate::keys;
use crate::script::{Call, DELETE_DEAD_LETTER, LIST_DEAD_LETTERS, PUSH_DEAD_LETTERS};

impl<C: Connection> DeadLetters for RedisStore<C> {
    async fn push_dead_letters(
        &self,
        tenant: Option<&TenantId>,
        letters: &[DeadLetter],
    ) -> Result<(), StoreError> {
        if letters.is_empty() {
            return Ok(());
        }
        let mut call = Call::on(keys::dead_letters());
        call.keys([keys::last_dead_letter(), keys::dead_letters_of(tenant)]);
        call.text(&IDEMPOTENCY_MS);
        call.text(&MAX_DEAD_LETTERS);
        call.text(&MAX_DEAD_LETTERS_IN_ALL);
        for letter in letters {
            call.bytes(digest(tenant, letter));
            call.text(&letter.at.as_unix_ms());
            call.bytes(encode(tenant, letter));
        }
        PUSH_DEAD_LETTERS.run(&self.connection, &call).await?;
        Ok(())
    }

    async fn list_dead_letters(
        &self,
        tenant: Option<&TenantId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<StoredDeadLetter>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let [letters, all, _] = keys::dead_letters();
        let ids = match tenant {
            Some(_) => keys::dead_letters_of(tenant),
            None => all,
        };
        let mut call = Call::on([letters, ids]);
        match before {
            Some(before) => call.text(&format_args!("({before}")),
            None => call.text("+inf"),
        }
        call.text(&limit);
        let mut answer = Answer::new(LIST_DEAD_LETTERS.run(&self.connection, &call).await?);
        let mut found = Vec::with_capacity(answer.left() / 2);
        while !answer.is_empty() {
            let id = decimal(&answer.bytes()?)?;
            found.push(stored(id, &answer.bytes()?)?);
        }
        Ok(found)
    }

    async fn read_dead_letter(&self, id: u64) -> Result<Option<StoredDeadLetter>, StoreError> {
        let [letters, ..] = keys::dead_letters();
        let id_text = id.to_string();
        let replies = self
            .connection
            .command("HGET", &[&letters, id_text.as_bytes()])
            .await?;
        let Some(bytes) = Answer::new(replies).optional_bytes()? else {
            return Ok(None);
        };
        stored(id, &bytes).map(Some)
    }

    async fn delete_dead_letter(&self, id: u64) -> Result<bool, StoreError> {
        let mut call = Call::on(keys::dead_letters());
        call.text(&id);
        let mut answer = Answer::new(DELETE_DEAD_LETTER.run(&self.connection, &call).await?);
        Ok(answer.count()? == 1)
    }
}

/// The same for letters of the same tenant, reason and payload.
fn digest(tenant: Option<&TenantId>, letter: &DeadLetter) -> [u8; 20] {
    let mut hash = sha1_smol::Sha1::new();
    let tenant = tenant.map_or("", TenantId::as_str);
    for text in [tenant, &letter.reason] {
        hash.update(&(text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.update(&letter.payload);
    hash.digest().bytes()
}

fn encode(tenant: Option<&TenantId>, letter: &DeadLetter) -> Vec<u8> {
    let mut w = Writer::default();
    w.text(tenant.map_or("", TenantId::as_str));
    w.timestamp(letter.at);
    w.text(&letter.reason);
    w.bytes(&letter.payload);
    w.finish()
}

/// What `push_dead_letters.lua` has made of [`encode`]: with a head that ends where its first two bytes say.
fn stored(id: u64, bytes: &[u8]) -> Result<StoredDeadLetter, StoreError> {
    let (length, _) = bytes.split_first_chunk().ok_or_else(|| corrupt("dead letter"))?;
    let head = usize::from(u16::from_be_bytes(*length));
    let encoded = bytes.get(head..).ok_or_else(|| corrupt("dead letter"))?;
    let (tenant, letter) = decode(encoded).map_err(corrupt)?;
    let tenant = match tenant.as_str() {
        "" => None,
        name => Some(TenantId::new(name).map_err(corrupt)?),
    };
    Ok(StoredDeadLetter { id, tenant, letter })
}

fn decode(bytes: &[u8]) -> Result<(String, DeadLetter), Malformed> {
    let mut r = Reader::new(bytes);
    let tenant = r.text()?.to_owned();
    let letter = DeadLetter {
        at: r.timestamp()?,
        reason: r.text()?.to_owned(),
        payload: r.bytes()?.to_vec(),
    };
    r.end()?;
    Ok((tenant, letter))
}
