//! A tenant on one of the shards, and the commands of a move there.

use leaderboard_core::ports::{FIRST_SHARD, ShardNumber};
use leaderboard_core::{StoreError, TenantId};

use crate::connection::Connection;
use crate::keys::{self, Key};
use crate::move_marker::{Marker, SCAN_START, Scan, State};
use crate::reply_reader::corrupt;
use crate::script::ScriptCall;
use crate::scripts::{CHANGE_MARKER, DELETE_KEYS, READ_MARKER, SCAN_TENANT};
use crate::shard::Shard;

/// At about how many keys of a server one step looks.
const KEYS_AT_ONCE: u32 = 2_000;

/// A tenant on a shard, and what the shard says of the tenant.
pub(super) struct TenantOn<'a, C> {
    pub(super) tenant: &'a TenantId,
    pub(super) number: ShardNumber,
    pub(super) shard: &'a Shard<C>,
    pub(super) marker: Marker,
    /// Which process of the server has answered.
    pub(super) process: String,
    /// The server's clock, in microseconds.
    pub(super) clock: u64,
    /// Whether the queue of the shard has requests of the tenant.
    pub(super) is_queued: bool,
}

impl<'a, C: Connection> TenantOn<'a, C> {
    /// Reads what a shard says of a tenant.
    pub(super) async fn read(
        tenant: &'a TenantId,
        number: ShardNumber,
        shard: &'a Shard<C>,
    ) -> Result<Self, StoreError> {
        let [stream, _] = keys::queue();
        let [_, _, sizes, _] = keys::queued_requests(tenant);
        let call = ScriptCall::with_keys([keys::shard_marker(tenant.as_str()), sizes, stream]);
        let mut reply = READ_MARKER.run_on(shard, &call).await?;
        Ok(Self {
            tenant,
            number,
            shard,
            marker: Marker::parse(&reply.read_bytes()?)?,
            process: String::from_utf8(reply.read_bytes()?).map_err(corrupt)?,
            clock: reply.read_number()?,
            is_queued: reply.read_count()? == 1,
        })
    }

    /// Returns whether the shard says that the tenant lives here.
    pub(super) fn is_home(&self) -> bool {
        self.marker.place == Some(self.number)
    }

    /// Returns the processes of two servers, as a scan names them.
    pub(super) fn processes_with(&self, other: &Self) -> String {
        format!("{}-{}", self.process, other.process)
    }

    /// Starts a call of a script of `move.lua`. The script does nothing if the marker has changed since it was read, or the server's process
    /// is not `process`; an empty text stands for any process.
    pub(super) fn call_expecting(&self, process: &str) -> ScriptCall {
        let mut call = ScriptCall::with_keys([keys::shard_marker(self.tenant.as_str())]);
        call.add_text(&self.marker.text);
        call.add_text(process);
        call
    }

    /// Changes the marker, unless another call has changed it since it was read. Returns whether it did.
    pub(super) async fn change_marker(&self, to: &Marker) -> Result<bool, StoreError> {
        self.change_marker_within("", to).await
    }

    /// Changes the marker as [`Self::change_marker`], if the server's process is `process`.
    pub(super) async fn change_marker_within(&self, process: &str, to: &Marker) -> Result<bool, StoreError> {
        let mut call = self.call_expecting(process);
        call.add_text(&to.text);
        Ok(CHANGE_MARKER.run_on(self.shard, &call).await?.read_count()? == 1)
    }

    /// Lists some of the tenant's keys. Returns the next cursor and the keys.
    ///
    /// # Errors
    /// [`StoreError::TenantUnavailable`] if another call has changed the marker, or the server was started again.
    pub(super) async fn scan_some(&self, cursor: &str) -> Result<(String, Vec<Key>), StoreError> {
        let mut call = self.call_expecting(&self.process);
        if self.number == FIRST_SHARD {
            // All dead letters are on the first shard.
            call.add_keys([keys::dead_letters_of_scope(Some(self.tenant))]);
        }
        call.add_text(cursor);
        call.add_text(&keys::pattern_of_tenant(self.tenant));
        call.add_text(&KEYS_AT_ONCE);
        let mut reply = SCAN_TENANT.run_on(self.shard, &call).await?;
        let next = String::from_utf8(reply.read_bytes()?).map_err(corrupt)?;
        if next.is_empty() {
            return Err(changed_meanwhile());
        }
        let mut found = Vec::with_capacity(reply.remaining());
        while !reply.is_empty() {
            found.push(reply.read_bytes()?);
        }
        Ok((next, found))
    }

    /// Changes the marker of the target of a move with this id, so that the target cannot take the tenant, who lives at `home`. Returns
    /// whether it did; it does not if another call has changed the marker.
    pub(super) async fn forget_move(&self, id: &str, home: &Self) -> Result<bool, StoreError> {
        let begin = Scan::new(&self.processes_with(home));
        self.change_marker(&cleaning(id, home, begin)).await
    }

    /// Deletes some of the tenant's keys, for a move with this id, while the tenant lives at `home`. After the last one, the marker is
    /// `end`. The marker is another one after each step, so that a late call deletes nothing.
    pub(super) async fn delete_some(&self, id: &str, home: &Self, end: Marker) -> Result<(), StoreError> {
        let processes = self.processes_with(home);
        let scan = match &self.marker.state {
            State::Cleaning { id: begun, scan }
                if begun == id && scan.processes == processes && !scan.is_untouched() =>
            {
                scan
            }
            _ => return self.forget_move(id, home).await.map(drop),
        };
        let (next, found) = self.scan_some(&scan.cursor).await?;
        if !found.is_empty() {
            let mut call = self.call_expecting("");
            call.add_keys(found);
            DELETE_KEYS.run_on(self.shard, &call).await?;
        }
        let next = match next.as_str() {
            SCAN_START => end,
            cursor => cleaning(id, home, scan.at(cursor)),
        };
        self.change_marker(&next).await.map(drop)
    }
}

/// Returns the marker of a shard whose data is deleted, while the tenant lives at `home`.
fn cleaning<C>(id: &str, home: &TenantOn<'_, C>, scan: Scan) -> Marker {
    let id = id.to_owned();
    Marker::new(home.number, State::Cleaning { id, scan })
}

/// Returns the error of a step that another call has done.
pub(super) fn changed_meanwhile() -> StoreError {
    StoreError::TenantUnavailable("another call has changed this move, or a server was started again".into())
}
