//! Copies keys from one shard to another in parts, so that neither a step nor a command grows with the size of a key.

use leaderboard_core::StoreError;
use leaderboard_core::ports::MoveProgress;

use super::step::Move;
use super::tenant_on::changed_meanwhile;
use crate::connection::Connection;
use crate::keys::Key;
use crate::move_marker::{Leaving, PartialKey, SCAN_START, State};
use crate::reply_reader::corrupt;
use crate::script::ScriptCall;
use crate::scripts::{MEASURE_KEYS, READ_PARTS, WRITE_PARTS};
use crate::shard::Shard;

/// After how many bytes one command reads no further part of a key. A part is about as long at most, or has one value.
const PART_BYTES: u32 = 64 * 1024;
/// The most keys of which one command reads parts.
const KEYS_IN_A_CALL: usize = 200;
/// How many times one step reads and writes parts.
const PARTS_AT_ONCE: u32 = 64;

impl<C: Connection> Move<'_, '_, C> {
    /// Copies some keys. After the last one, the source gives the tenant up and the target takes it.
    pub(super) async fn copy_some(&self, leaving: &Leaving) -> Result<MoveProgress, StoreError> {
        let scan = &leaving.scan;
        if let Some(PartialKey { key, position }) = &scan.partial {
            let key = vec![key.clone().into_bytes()];
            let rest = self.copy_keys(key, position.clone()).await?;
            // When the key is complete, the keys at the cursor are listed again, without those that are complete.
            let next = scan.at(&scan.cursor).with_partial(rest);
            self.change_source(State::Moving(leaving.with_scan(next))).await?;
            return Ok(MoveProgress::Copying);
        }
        let (cursor, found) = self.source.scan_some(&scan.cursor).await?;
        let incomplete = self.list_incomplete(found).await?;
        let rest = self.copy_keys(incomplete, String::new()).await?;
        let next = match rest {
            Some(_) => scan.with_partial(rest),
            None if cursor == SCAN_START => return self.hand_over(leaving).await,
            None => scan.at(&cursor),
        };
        self.change_source(State::Moving(leaving.with_scan(next))).await?;
        Ok(MoveProgress::Copying)
    }

    /// Returns the keys of which the target has no complete copy.
    async fn list_incomplete(&self, keys: Vec<Key>) -> Result<Vec<Key>, StoreError> {
        let on_source = measure_keys(self.source.shard, &keys).await?;
        let on_target = measure_keys(self.target.shard, &keys).await?;
        let compared = keys.into_iter().zip(on_source.into_iter().zip(on_target));
        let incomplete = compared.filter(|(_, (on_source, on_target))| on_source != on_target);
        Ok(incomplete.map(|(key, _)| key).collect())
    }

    /// Copies keys, the first one from `position` on. Returns the first key that is not complete when the step has copied enough.
    async fn copy_keys(
        &self,
        keys: Vec<Key>,
        mut position: String,
    ) -> Result<Option<PartialKey>, StoreError> {
        let mut rest = keys.as_slice();
        for _ in 0..PARTS_AT_ONCE {
            if rest.is_empty() {
                return Ok(None);
            }
            let sent = rest.get(..KEYS_IN_A_CALL).unwrap_or(rest);
            let mut call = ScriptCall::with_keys(sent.iter().cloned());
            call.add_text(&position);
            call.add_text(&PART_BYTES);
            let mut reply = READ_PARTS.run_on(self.source.shard, &call).await?;
            let finished = usize::try_from(reply.read_number()?).map_err(corrupt)?;
            let next = String::from_utf8(reply.read_bytes()?).map_err(corrupt)?;
            let mut call = self.target.call_expecting(&self.target.process);
            call.add_keys(sent.iter().cloned());
            call.add_bytes(reply.read_bytes()?);
            if WRITE_PARTS.run_on(self.target.shard, &call).await?.read_count()? == 0 {
                return Err(changed_meanwhile());
            }
            rest = rest.get(finished..).unwrap_or_default();
            position = next;
        }
        let Some(key) = rest.first() else {
            return Ok(None);
        };
        let key = String::from_utf8(key.clone()).map_err(corrupt)?;
        Ok(Some(PartialKey { key, position }))
    }
}

/// Returns the size of each key as a text.
async fn measure_keys<C: Connection>(shard: &Shard<C>, keys: &[Key]) -> Result<Vec<Vec<u8>>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let call = ScriptCall::with_keys(keys.iter().cloned());
    let mut reply = MEASURE_KEYS.run_on(shard, &call).await?;
    keys.iter().map(|_| reply.read_bytes()).collect()
}
