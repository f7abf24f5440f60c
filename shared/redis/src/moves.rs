//! The [`Shards`] port: on which shard a tenant lives, and moves to another shard.
//!
//! The markers of both shards say how far a move is, so any instance can continue it. `source` and `target` are numbers of shards:
//!
//! | marker on the source | marker on the target | what happens |
//! |---|---|---|
//! | `source closing target id cursor` | `source arriving id` | old data on the target is deleted; the queue is drained |
//! | `source moving target id cursor` | `source arriving id` | keys are copied; the source refuses writes |
//! | `target cleaning id cursor` | `target` | the keys on the source are deleted |
//! | `target` | `target` | the move is done |
//!
//! A tenant lives where the marker begins with the shard's own number. The source gives the tenant up before the target takes it, so
//! no two shards accept writes at one time. Each change of a marker names the marker that it replaces. The id is the source's clock
//! at the beginning: what an earlier move copies late is refused.

use leaderboard_core::ports::{FIRST_SHARD, MoveProgress, MoveRefusal, ShardNumber, Shards};
use leaderboard_core::{StoreError, TenantId};

use crate::connection::Connection;
use crate::keys::{self, Key};
use crate::move_marker::{Marker, State};
use crate::reply_reader::{ReplyReader, corrupt};
use crate::script::{Effect, ScriptCall};
use crate::scripts::{
    CHANGE_MARKER, DELETE_KEYS, DUMP_KEY, READ_MARKER, RESTORE_KEY, SCAN_TENANT, SET_PLACE,
};
use crate::shard::Shard;
use crate::{RedisStore, ping};

/// At about how many keys of a server one step looks. A step copies those of the tenant, each with two commands.
const KEYS_AT_ONCE: u32 = 500;
/// The cursor with which a scan begins, and which ends it.
const SCAN_START: &str = "0";

/// What a shard says of a tenant.
struct Place {
    marker: Marker,
    /// The server's clock, in microseconds.
    clock: u64,
    is_queued: bool,
}

/// A tenant and two shards.
struct Move<'a, C> {
    tenant: &'a TenantId,
    source: (ShardNumber, &'a Shard<C>),
    target: (ShardNumber, &'a Shard<C>),
}

impl<C: Connection> Shards for RedisStore<C> {
    fn count_shards(&self) -> ShardNumber {
        self.server.count_shards()
    }

    fn guess_shard(&self, tenant: Option<&TenantId>) -> ShardNumber {
        let tenant = tenant.filter(|_| self.server.is_sharded());
        tenant.map_or(FIRST_SHARD, |tenant| self.server.guess_place(tenant.as_str()))
    }

    async fn check_shard(&self, shard: ShardNumber) -> Result<(), StoreError> {
        ping(self.server.shard(shard)?).await
    }

    async fn find_shard(&self, tenant: &TenantId) -> Result<Option<ShardNumber>, StoreError> {
        if !self.server.is_sharded() {
            return Ok(Some(FIRST_SHARD));
        }
        let choice = self.server.choose_place(tenant.as_str());
        let listed = self.server.ask_directory(tenant.as_str(), choice, Effect::Reads);
        let Some(mut place) = listed.await? else {
            return Ok(None);
        };
        // A move changes the directory late.
        for _ in 0..self.count_shards() {
            let marker = read_place(self.server.shard(place)?, tenant).await?.marker;
            let Some(next) = marker.place.filter(|next| *next != place) else {
                break;
            };
            let there = read_place(self.server.shard(next)?, tenant).await?.marker;
            place = next;
            if there.state == State::Arriving && there.id == marker.id {
                // The source has given the tenant up, and the call ended before the target took it.
                break;
            }
        }
        Ok(Some(place))
    }

    async fn move_tenant(
        &self,
        tenant: &TenantId,
        to: ShardNumber,
    ) -> Result<Result<MoveProgress, MoveRefusal>, StoreError> {
        if to < FIRST_SHARD || to > self.count_shards() {
            return Ok(Err(MoveRefusal::NoSuchShard));
        }
        if !self.server.is_sharded() {
            return Ok(Ok(MoveProgress::Done));
        }
        let from = match self.find_shard(tenant).await? {
            Some(from) => from,
            None => self.server.place_tenant(tenant.as_str(), to).await?,
        };
        if from == to {
            return self.settle(tenant, to).await.map(Ok);
        }
        let moved = Move {
            tenant,
            source: (from, self.server.shard(from)?),
            target: (to, self.server.shard(to)?),
        };
        moved.step().await
    }
}

impl<C: Connection> RedisStore<C> {
    /// Ends what moves have left of a tenant who lives on a shard: a move away from it, the directory, markers that point elsewhere,
    /// and data on other shards.
    async fn settle(&self, tenant: &TenantId, on: ShardNumber) -> Result<MoveProgress, StoreError> {
        let home = self.server.shard(on)?;
        let own = read_place(home, tenant).await?.marker;
        let settled = Marker::at(on);
        // The home is changed first: a move that is about to give the tenant up then fails, and has not told its target.
        if own != settled && !change_marker(home, tenant, &own, &settled).await? {
            return Ok(MoveProgress::Copying);
        }
        let mut call = ScriptCall::with_keys([keys::shards()]);
        call.add_text(tenant);
        call.add_text(&on);
        SET_PLACE.run_on(self.server.shard(FIRST_SHARD)?, &call).await?;
        self.server.remember_place(tenant.as_str(), on);
        for (number, shard) in self.server.shards().filter(|(number, _)| *number != on) {
            let marker = read_place(shard, tenant).await?.marker;
            match marker.state {
                State::Cleaning => {
                    let cursor = delete_some(number, shard, tenant, &marker, &marker.cursor).await?;
                    let next = match cursor.as_str() {
                        SCAN_START => settled.clone(),
                        cursor => marker.with_cursor(cursor),
                    };
                    change_marker(shard, tenant, &marker, &next).await?;
                    return Ok(MoveProgress::Cleaning);
                }
                // The target of a move that ended without a result.
                State::Arriving => {
                    let cleaning = marker.cleaning(on, SCAN_START);
                    change_marker(shard, tenant, &marker, &cleaning).await?;
                    return Ok(MoveProgress::Cleaning);
                }
                State::Settled if marker.place.is_some_and(|place| place != on) => {
                    change_marker(shard, tenant, &marker, &settled).await?;
                }
                State::Settled | State::Closing | State::Moving => {}
            }
        }
        Ok(MoveProgress::Done)
    }
}

impl<C: Connection> Move<'_, C> {
    /// Does the next step, as the markers say.
    async fn step(&self) -> Result<Result<MoveProgress, MoveRefusal>, StoreError> {
        let (_, source) = self.source;
        let (to, _) = self.target;
        let place = read_place(source, self.tenant).await?;
        let marker = &place.marker;
        if let Some(target) = marker.target().filter(|target| *target != to) {
            return Ok(Err(MoveRefusal::MovingTo(target)));
        }
        Ok(Ok(match marker.state {
            State::Settled => self.begin(&place).await?,
            State::Closing => self.prepare(&place).await?,
            State::Moving => self.copy_some(marker).await?,
            // Another call has moved the tenant meanwhile. The next call finds its place.
            State::Arriving | State::Cleaning => MoveProgress::Copying,
        }))
    }

    /// Begins the move: the target expects the tenant, and the queue of the source is closed.
    async fn begin(&self, place: &Place) -> Result<MoveProgress, StoreError> {
        let ((from, source), (to, target)) = (self.source, self.target);
        let id = place.clock.to_string();
        let there = read_place(target, self.tenant).await?.marker;
        if there.place == Some(to) {
            return Err(StoreError::Unavailable("the tenant was moved meanwhile".into()));
        }
        let arriving = Marker::arriving(from, &id);
        if change_marker(target, self.tenant, &there, &arriving).await? {
            let closing = Marker::closing(from, to, &id, SCAN_START);
            change_marker(source, self.tenant, &place.marker, &closing).await?;
        }
        Ok(MoveProgress::Draining)
    }

    /// Deletes what the target has from an earlier move, then waits for the queue. Then closes the source for writes.
    async fn prepare(&self, place: &Place) -> Result<MoveProgress, StoreError> {
        let ((from, source), (to, target)) = (self.source, self.target);
        let marker = &place.marker;
        if !marker.is_prepared() {
            let arriving = Marker::arriving(from, &marker.id);
            let cursor = delete_some(to, target, self.tenant, &arriving, &marker.cursor).await?;
            let next = match cursor.as_str() {
                SCAN_START => marker.prepared(),
                cursor => marker.with_cursor(cursor),
            };
            change_marker(source, self.tenant, marker, &next).await?;
        } else if !place.is_queued {
            let moving = Marker::moving(from, to, &marker.id, SCAN_START);
            change_marker(source, self.tenant, marker, &moving).await?;
            return Ok(MoveProgress::Copying);
        }
        Ok(MoveProgress::Draining)
    }

    /// Copies some keys. After the last one, the source gives the tenant up and the target takes it.
    async fn copy_some(&self, marker: &Marker) -> Result<MoveProgress, StoreError> {
        let ((from, source), (to, target)) = (self.source, self.target);
        let arriving = Marker::arriving(from, &marker.id);
        let (next, copied) = scan_some(from, source, self.tenant, marker, &marker.cursor).await?;
        for key in &copied {
            self.copy_key(&arriving, key).await?;
        }
        if next != SCAN_START {
            change_marker(source, self.tenant, marker, &marker.with_cursor(&next)).await?;
            return Ok(MoveProgress::Copying);
        }
        if change_marker(source, self.tenant, marker, &marker.cleaning(to, SCAN_START)).await? {
            change_marker(target, self.tenant, &arriving, &Marker::at(to)).await?;
        }
        Ok(MoveProgress::Cleaning)
    }

    async fn copy_key(&self, arriving: &Marker, key: &Key) -> Result<(), StoreError> {
        let call = ScriptCall::with_keys([key.clone()]);
        let mut dumped = DUMP_KEY.run_on(self.source.1, &call).await?;
        let (value, expires_at) = (dumped.read_bytes()?, dumped.read_bytes()?);
        if value.is_empty() {
            // The key has expired.
            return Ok(());
        }
        let mut call = ScriptCall::with_keys([keys::shard_marker(self.tenant.as_str()), key.clone()]);
        call.add_text(&arriving.text);
        call.add_bytes(expires_at);
        call.add_bytes(value);
        let restored = RESTORE_KEY.run_on(self.target.1, &call).await?.read_count()?;
        if restored == 0 {
            return Err(StoreError::Unavailable("another call has ended this move".into()));
        }
        Ok(())
    }
}

async fn read_place<C: Connection>(shard: &Shard<C>, tenant: &TenantId) -> Result<Place, StoreError> {
    let [stream, _] = keys::queue();
    let [_, _, sizes, _] = keys::queued_requests(tenant);
    let call = ScriptCall::with_keys([keys::shard_marker(tenant.as_str()), sizes, stream]);
    let mut reply = READ_MARKER.run_on(shard, &call).await?;
    Ok(Place {
        marker: Marker::parse(&reply.read_bytes()?)?,
        clock: reply.read_number()?,
        is_queued: reply.read_count()? == 1,
    })
}

/// Changes a marker, unless another call has changed it. Returns whether it did.
async fn change_marker<C: Connection>(
    shard: &Shard<C>,
    tenant: &TenantId,
    from: &Marker,
    to: &Marker,
) -> Result<bool, StoreError> {
    let mut call = ScriptCall::with_keys([keys::shard_marker(tenant.as_str())]);
    call.add_text(&from.text);
    call.add_text(&to.text);
    Ok(CHANGE_MARKER.run_on(shard, &call).await?.read_count()? == 1)
}

/// Lists some of the tenant's keys on a shard that has this marker. Returns the next cursor and the keys.
async fn scan_some<C: Connection>(
    number: ShardNumber,
    shard: &Shard<C>,
    tenant: &TenantId,
    marker: &Marker,
    cursor: &str,
) -> Result<(String, Vec<Key>), StoreError> {
    let mut call = ScriptCall::with_keys([keys::shard_marker(tenant.as_str())]);
    if number == FIRST_SHARD {
        // All dead letters are on the first shard.
        call.add_keys([keys::dead_letters_of_scope(Some(tenant))]);
    }
    call.add_text(&marker.text);
    call.add_text(cursor);
    call.add_text(&keys::pattern_of_tenant(tenant));
    call.add_text(&KEYS_AT_ONCE);
    let mut reply: ReplyReader = SCAN_TENANT.run_on(shard, &call).await?;
    let next = String::from_utf8(reply.read_bytes()?).map_err(corrupt)?;
    if next.is_empty() {
        return Err(StoreError::Unavailable(
            "another call has continued this move".into(),
        ));
    }
    let mut found = Vec::with_capacity(reply.remaining());
    while !reply.is_empty() {
        found.push(reply.read_bytes()?);
    }
    Ok((next, found))
}

/// Deletes some of the tenant's keys on a shard that has this marker. Returns the next cursor.
async fn delete_some<C: Connection>(
    number: ShardNumber,
    shard: &Shard<C>,
    tenant: &TenantId,
    marker: &Marker,
    cursor: &str,
) -> Result<String, StoreError> {
    let (next, found) = scan_some(number, shard, tenant, marker, cursor).await?;
    if !found.is_empty() {
        let mut call = ScriptCall::with_keys([keys::shard_marker(tenant.as_str())]);
        call.add_keys(found);
        call.add_text(&marker.text);
        DELETE_KEYS.run_on(shard, &call).await?;
    }
    Ok(next)
}
