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
use crate::reply_reader::corrupt;
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

/// A tenant on one of the shards, who may live elsewhere.
struct TenantOn<'a, C> {
    tenant: &'a TenantId,
    number: ShardNumber,
    shard: &'a Shard<C>,
}

/// A tenant on two shards.
struct Move<'a, C> {
    source: TenantOn<'a, C>,
    target: TenantOn<'a, C>,
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
            let marker = self.tenant_on(tenant, place)?.read_marker().await?;
            let Some(next) = marker.place.filter(|next| *next != place) else {
                break;
            };
            let there = self.tenant_on(tenant, next)?.read_marker().await?;
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
            source: self.tenant_on(tenant, from)?,
            target: self.tenant_on(tenant, to)?,
        };
        moved.step().await
    }
}

impl<C: Connection> RedisStore<C> {
    /// Returns a tenant on a shard.
    fn tenant_on<'a>(
        &'a self,
        tenant: &'a TenantId,
        number: ShardNumber,
    ) -> Result<TenantOn<'a, C>, StoreError> {
        Ok(TenantOn {
            tenant,
            number,
            shard: self.server.shard(number)?,
        })
    }

    /// Ends what moves have left of a tenant who lives on a shard: a move away from it, the directory, markers that point elsewhere,
    /// and data on other shards.
    async fn settle(&self, tenant: &TenantId, on: ShardNumber) -> Result<MoveProgress, StoreError> {
        let home = self.tenant_on(tenant, on)?;
        let own = home.read_marker().await?;
        let settled = Marker::at(on);
        // The home is changed first: a move that is about to give the tenant up then fails, and has not told its target.
        if own != settled && !home.change_marker(&own, &settled).await? {
            return Ok(MoveProgress::Copying);
        }
        let mut call = ScriptCall::with_keys([keys::shards()]);
        call.add_text(tenant);
        call.add_text(&on);
        SET_PLACE.run_on(self.server.shard(FIRST_SHARD)?, &call).await?;
        self.server.remember_place(tenant.as_str(), on);
        for (number, _) in self.server.shards().filter(|(number, _)| *number != on) {
            let other = self.tenant_on(tenant, number)?;
            let marker = other.read_marker().await?;
            match marker.state {
                State::Cleaning => {
                    let cursor = other.delete_some(&marker, &marker.cursor).await?;
                    let next = match cursor.as_str() {
                        SCAN_START => settled.clone(),
                        cursor => marker.with_cursor(cursor),
                    };
                    other.change_marker(&marker, &next).await?;
                    return Ok(MoveProgress::Cleaning);
                }
                // The target of a move that ended without a result.
                State::Arriving => {
                    let cleaning = marker.cleaning(on, SCAN_START);
                    other.change_marker(&marker, &cleaning).await?;
                    return Ok(MoveProgress::Cleaning);
                }
                State::Settled if marker.place.is_some_and(|place| place != on) => {
                    other.change_marker(&marker, &settled).await?;
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
        let place = self.source.read_place().await?;
        let marker = &place.marker;
        if let Some(target) = marker.target().filter(|target| *target != self.target.number) {
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
        let Self { source, target } = self;
        let id = place.clock.to_string();
        let there = target.read_marker().await?;
        if there.place == Some(target.number) {
            return Err(StoreError::Unavailable("the tenant was moved meanwhile".into()));
        }
        let arriving = Marker::arriving(source.number, &id);
        if target.change_marker(&there, &arriving).await? {
            let closing = Marker::closing(source.number, target.number, &id, SCAN_START);
            source.change_marker(&place.marker, &closing).await?;
        }
        Ok(MoveProgress::Draining)
    }

    /// Deletes what the target has from an earlier move, then waits for the queue. Then closes the source for writes.
    async fn prepare(&self, place: &Place) -> Result<MoveProgress, StoreError> {
        let Self { source, target } = self;
        let marker = &place.marker;
        if !marker.is_prepared() {
            let arriving = Marker::arriving(source.number, &marker.id);
            let cursor = target.delete_some(&arriving, &marker.cursor).await?;
            let next = match cursor.as_str() {
                SCAN_START => marker.prepared(),
                cursor => marker.with_cursor(cursor),
            };
            source.change_marker(marker, &next).await?;
        } else if !place.is_queued {
            let moving = Marker::moving(source.number, target.number, &marker.id, SCAN_START);
            source.change_marker(marker, &moving).await?;
            return Ok(MoveProgress::Copying);
        }
        Ok(MoveProgress::Draining)
    }

    /// Copies some keys. After the last one, the source gives the tenant up and the target takes it.
    async fn copy_some(&self, marker: &Marker) -> Result<MoveProgress, StoreError> {
        let Self { source, target } = self;
        let arriving = Marker::arriving(source.number, &marker.id);
        let (next, copied) = source.scan_some(marker, &marker.cursor).await?;
        for key in copied {
            self.copy_key(&arriving, key).await?;
        }
        if next != SCAN_START {
            source.change_marker(marker, &marker.with_cursor(&next)).await?;
            return Ok(MoveProgress::Copying);
        }
        let cleaning = marker.cleaning(target.number, SCAN_START);
        if source.change_marker(marker, &cleaning).await? {
            target
                .change_marker(&arriving, &Marker::at(target.number))
                .await?;
        }
        Ok(MoveProgress::Cleaning)
    }

    async fn copy_key(&self, arriving: &Marker, key: Key) -> Result<(), StoreError> {
        let call = ScriptCall::with_keys([key.clone()]);
        let mut dumped = DUMP_KEY.run_on(self.source.shard, &call).await?;
        let (value, expires_at) = (dumped.read_bytes()?, dumped.read_bytes()?);
        if value.is_empty() {
            // The key has expired.
            return Ok(());
        }
        let mut call = self.target.marker_call();
        call.add_keys([key]);
        call.add_text(&arriving.text);
        call.add_bytes(expires_at);
        call.add_bytes(value);
        let restored = RESTORE_KEY.run_on(self.target.shard, &call).await?.read_count()?;
        if restored == 0 {
            return Err(StoreError::Unavailable("another call has ended this move".into()));
        }
        Ok(())
    }
}

impl<C: Connection> TenantOn<'_, C> {
    /// Starts a call whose first key is the marker.
    fn marker_call(&self) -> ScriptCall {
        ScriptCall::with_keys([keys::shard_marker(self.tenant.as_str())])
    }

    async fn read_place(&self) -> Result<Place, StoreError> {
        let [stream, _] = keys::queue();
        let [_, _, sizes, _] = keys::queued_requests(self.tenant);
        let mut call = self.marker_call();
        call.add_keys([sizes, stream]);
        let mut reply = READ_MARKER.run_on(self.shard, &call).await?;
        Ok(Place {
            marker: Marker::parse(&reply.read_bytes()?)?,
            clock: reply.read_number()?,
            is_queued: reply.read_count()? == 1,
        })
    }

    async fn read_marker(&self) -> Result<Marker, StoreError> {
        Ok(self.read_place().await?.marker)
    }

    /// Changes the marker, unless another call has changed it. Returns whether it did.
    async fn change_marker(&self, from: &Marker, to: &Marker) -> Result<bool, StoreError> {
        let mut call = self.marker_call();
        call.add_text(&from.text);
        call.add_text(&to.text);
        Ok(CHANGE_MARKER.run_on(self.shard, &call).await?.read_count()? == 1)
    }

    /// Lists some of the tenant's keys, if the shard has this marker. Returns the next cursor and the keys.
    async fn scan_some(&self, marker: &Marker, cursor: &str) -> Result<(String, Vec<Key>), StoreError> {
        let mut call = self.marker_call();
        if self.number == FIRST_SHARD {
            // All dead letters are on the first shard.
            call.add_keys([keys::dead_letters_of_scope(Some(self.tenant))]);
        }
        call.add_text(&marker.text);
        call.add_text(cursor);
        call.add_text(&keys::pattern_of_tenant(self.tenant));
        call.add_text(&KEYS_AT_ONCE);
        let mut reply = SCAN_TENANT.run_on(self.shard, &call).await?;
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

    /// Deletes some of the tenant's keys, if the shard has this marker. Returns the next cursor.
    async fn delete_some(&self, marker: &Marker, cursor: &str) -> Result<String, StoreError> {
        let (next, found) = self.scan_some(marker, cursor).await?;
        if !found.is_empty() {
            let mut call = self.marker_call();
            call.add_keys(found);
            call.add_text(&marker.text);
            DELETE_KEYS.run_on(self.shard, &call).await?;
        }
        Ok(next)
    }
}
