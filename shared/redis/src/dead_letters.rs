//! The [`DeadLetters`] port: messages that could not be applied.

use leaderboard_core::codec::{Malformed, Reader, Writer};
use leaderboard_core::ports::{
    DeadLetter, DeadLetters, IDEMPOTENCY_MS, MAX_DEAD_LETTERS, MAX_DEAD_LETTERS_IN_ALL, StoredDeadLetter,
};
use leaderboard_core::{StoreError, TenantId};

use crate::connection::Connection;
use crate::reply_reader::{corrupt, parse_decimal};
use crate::script::ScriptCall;
use crate::scripts::{DELETE_DEAD_LETTER, LIST_DEAD_LETTERS, PUSH_DEAD_LETTERS};
use crate::{RedisStore, keys};

impl<C: Connection> DeadLetters for RedisStore<C> {
    async fn push_dead_letters(
        &self,
        tenant: Option<&TenantId>,
        letters: &[DeadLetter],
    ) -> Result<(), StoreError> {
        if letters.is_empty() {
            return Ok(());
        }
        let mut call = ScriptCall::with_keys(keys::dead_letters());
        call.add_keys([keys::last_dead_letter(), keys::dead_letters_of_scope(tenant)]);
        call.add_text(&IDEMPOTENCY_MS);
        call.add_text(&MAX_DEAD_LETTERS);
        call.add_text(&MAX_DEAD_LETTERS_IN_ALL);
        for letter in letters {
            call.add_bytes(compute_digest(tenant, letter));
            call.add_text(&letter.at.as_unix_ms());
            call.add_bytes(encode_letter(tenant, letter));
        }
        PUSH_DEAD_LETTERS.run(&self.server, &call).await?;
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
            Some(_) => keys::dead_letters_of_scope(tenant),
            None => all,
        };
        let mut call = ScriptCall::with_keys([letters, ids]);
        match before {
            Some(before) => call.add_text(&format_args!("({before}")),
            None => call.add_text("+inf"),
        }
        call.add_text(&limit);
        let mut reply = LIST_DEAD_LETTERS.run(&self.server, &call).await?;
        let mut found = Vec::with_capacity(reply.remaining() / 2);
        while !reply.is_empty() {
            let id = parse_decimal(&reply.read_bytes()?)?;
            found.push(unpack_letter(id, &reply.read_bytes()?)?);
        }
        Ok(found)
    }

    async fn read_dead_letter(&self, id: u64) -> Result<Option<StoredDeadLetter>, StoreError> {
        let [letters, ..] = keys::dead_letters();
        let id_text = id.to_string();
        let key: [&[u8]; 2] = [&letters, id_text.as_bytes()];
        let mut reply = self.server.send_command("HGET", &key).await?;
        let Some(bytes) = reply.read_optional_bytes()? else {
            return Ok(None);
        };
        unpack_letter(id, &bytes).map(Some)
    }

    async fn delete_dead_letter(&self, id: u64) -> Result<bool, StoreError> {
        let mut call = ScriptCall::with_keys(keys::dead_letters());
        call.add_text(&id);
        let mut reply = DELETE_DEAD_LETTER.run(&self.server, &call).await?;
        Ok(reply.read_count()? == 1)
    }
}

/// Returns a digest of tenant, reason and payload. Equal letters have equal digests.
fn compute_digest(tenant: Option<&TenantId>, letter: &DeadLetter) -> [u8; 20] {
    let mut hash = sha1_smol::Sha1::new();
    let tenant = tenant.map_or("", TenantId::as_str);
    for text in [tenant, &letter.reason] {
        hash.update(&(text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.update(&letter.payload);
    hash.digest().bytes()
}

fn encode_letter(tenant: Option<&TenantId>, letter: &DeadLetter) -> Vec<u8> {
    let mut w = Writer::default();
    w.text(tenant.map_or("", TenantId::as_str));
    w.timestamp(letter.at);
    w.text(&letter.reason);
    w.bytes(&letter.payload);
    w.finish()
}

/// Reads a stored letter: the head of `dead_letters.lua`, whose first two bytes are its length, and the bytes of
/// [`encode_letter`].
fn unpack_letter(id: u64, bytes: &[u8]) -> Result<StoredDeadLetter, StoreError> {
    let (length, _) = bytes.split_first_chunk().ok_or_else(|| corrupt("dead letter"))?;
    let head = usize::from(u16::from_be_bytes(*length));
    let encoded = bytes.get(head..).ok_or_else(|| corrupt("dead letter"))?;
    let (tenant, letter) = decode_letter(encoded).map_err(corrupt)?;
    let tenant = match tenant.as_str() {
        "" => None,
        name => Some(TenantId::new(name).map_err(corrupt)?),
    };
    Ok(StoredDeadLetter { id, tenant, letter })
}

fn decode_letter(bytes: &[u8]) -> Result<(String, DeadLetter), Malformed> {
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
