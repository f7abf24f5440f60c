//! The [`Shards`] port: on which shard a tenant lives, and moves to another shard.
//!
//! The markers of both shards say how far a move is, so any instance can continue it. `source` and `target` are numbers of shards:
//!
//! | marker on the source | marker on the target | what happens |
//! |---|---|---|
//! | `source closing target id scan` | `source cleaning id scan` | old data on the target is deleted; the queue is drained |
//! | `source closing target id scan` | `source arriving id` | the queue is drained |
//! | `source moving target id scan` | `source arriving id` | keys are copied; the source refuses writes |
//! | `target cleaning id scan` | `source arriving id` | the source has given the tenant up, and the target takes it |
//! | `target cleaning id scan` | `target taken id instant` | the keys on the source are deleted |
//! | `target` | `target` | the move is done |
//!
//! A tenant lives where the marker begins with the shard's own number. The source gives the tenant up before the target takes it, so
//! no two shards accept writes at one time. Each change of a marker names the marker that it replaces. The id is the source's clock
//! at the beginning: what an earlier move copies late is refused. A scan is a cursor and the processes of both servers: when a server
//! was started again, the move begins again with `closing` and another id.

mod copy;
mod step;
mod tenant_on;

use leaderboard_core::ports::{FIRST_SHARD, MoveProgress, MoveRefusal, ShardNumber, Shards, TenantPlace};
use leaderboard_core::{StoreError, TenantId};

use self::step::Move;
use self::tenant_on::TenantOn;
use crate::connection::{Connection, yield_to_others};
use crate::keys;
use crate::move_marker::{Leaving, Marker, State};
use crate::reply_reader::corrupt;
use crate::script::{Effect, ScriptCall};
use crate::scripts::SET_PLACE;
use crate::{RedisStore, ping};

/// How long a source has the marker of a move before it closes for writes, and its data after the target has taken the tenant, in
/// microseconds. A server with `appendfsync everysec` that crashes can lose what was written so shortly before.
const KEPT_US: u64 = 2_000_000;
/// How often the markers of a tenant are read when they contradict each other.
const MAX_READS: u32 = 3;

impl<C: Connection> Shards for RedisStore<C> {
    fn count_shards(&self) -> ShardNumber {
        self.server.count_shards()
    }

    fn guess_shard(&self, tenant: Option<&TenantId>) -> ShardNumber {
        let tenant = tenant.filter(|_| self.server.is_sharded());
        tenant.map_or(FIRST_SHARD, |tenant| self.server.guess_place(tenant.as_str()))
    }

    async fn find_on_other_shards(&self, tenant: &TenantId) -> bool {
        let (tenant, guess) = (tenant.as_str(), self.guess_shard(Some(tenant)));
        let found = self.server.find_on_others(tenant, guess).await;
        if let Some(found) = found {
            self.server.remember_place(tenant, found);
        }
        found.is_some()
    }

    async fn check_shard(&self, shard: ShardNumber) -> Result<(), StoreError> {
        ping(self.server.shard(shard)?).await
    }

    async fn find_shard(&self, tenant: &TenantId) -> Result<Option<TenantPlace>, StoreError> {
        if !self.server.is_sharded() {
            return Ok(Some(TenantPlace {
                shard: FIRST_SHARD,
                progress: MoveProgress::Done,
            }));
        }
        let shards = self.read_markers(tenant, |_| true).await?;
        let home = self.locate(tenant, &shards).await?;
        Ok(home.map(|home| TenantPlace {
            shard: home.number,
            progress: shards.progress(home),
        }))
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
        // While keys are copied, the tenant cannot be written, so another shard that hangs must not matter.
        let from = self.guess_shard(Some(tenant));
        let of_both = self
            .read_markers(tenant, |shard| [from, to].contains(&shard))
            .await?;
        if let Some(source) = of_both.get(from).ok().filter(|source| source.is_leaving_for(to)) {
            let target = of_both.get(to)?;
            if !target.is_home() {
                return Move::new(source, target).step().await;
            }
        }
        let shards = self.read_markers(tenant, |_| true).await?;
        let Some(home) = self.locate(tenant, &shards).await? else {
            self.server.place_tenant(tenant.as_str(), to).await?;
            return Ok(Ok(MoveProgress::Draining));
        };
        self.server.remember_place(tenant.as_str(), home.number);
        if let Some(giver) = shards.find_giver(home) {
            return Move::new(giver, home).finish_handover().await.map(Ok);
        }
        // A shard that has taken the tenant is settled before the next move, so that one move at most is unfinished.
        if home.number == to || matches!(home.marker.state, State::Taken { .. }) {
            return self.settle(&shards, home).await.map(Ok);
        }
        Move::new(home, shards.get(to)?).step().await
    }
}

/// A tenant on all shards that answer.
struct OnShards<'a, C> {
    all: Vec<TenantOn<'a, C>>,
    /// The failure of a shard that does not answer.
    failure: Option<StoreError>,
}

impl<'a, C: Connection> OnShards<'a, C> {
    fn get(&self, number: ShardNumber) -> Result<&TenantOn<'a, C>, StoreError> {
        let found = self.all.iter().find(|on| on.number == number);
        found.ok_or_else(|| {
            self.failure
                .clone()
                .unwrap_or_else(|| corrupt("number of a shard"))
        })
    }

    /// Returns the shard that has given the tenant up for `taker`, which has not taken the tenant yet. A taker that was started again may
    /// have forgotten the move; the giver then still has everything.
    fn find_giver(&self, taker: &TenantOn<'a, C>) -> Option<&TenantOn<'a, C>> {
        let is_giver = |on: &TenantOn<'a, C>| {
            let State::Cleaning { id, scan } = &on.marker.state else {
                return false;
            };
            // A taker that has given the tenant up for a third shard names that shard.
            let is_before = taker.marker.place.is_none_or(|place| place == on.number)
                || taker.marker.state == State::Settled && !taker.is_home();
            let is_arriving =
                matches!(&taker.marker.state, State::Arriving { id: of_taker } if of_taker == id);
            let has_forgotten = scan.is_untouched() && self.failure.is_none();
            on.marker.place == Some(taker.number) && is_before && (is_arriving || has_forgotten)
        };
        self.all.iter().find(|on| is_giver(on))
    }

    /// Returns the shard where the tenant lives, as the markers say.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if several shards say that the tenant lives there.
    fn find_home(&self) -> Result<Option<&TenantOn<'a, C>>, StoreError> {
        let homes = self.all.iter().filter(|on| on.is_home());
        // A server that was started again may have forgotten that it gave the tenant up.
        let mut homes = homes.filter(|on| !self.all.iter().any(|other| on.has_lost_to(other)));
        let home = homes.next();
        if homes.next().is_some() {
            return Err(corrupt("markers: two shards have the tenant"));
        }
        Ok(home.or_else(|| self.all.iter().find(|on| self.find_giver(on).is_some())))
    }

    /// Returns how far the move of a tenant who lives on `home` is. A shard that does not answer may have something left.
    fn progress(&self, home: &TenantOn<'a, C>) -> MoveProgress {
        let is_left =
            |on: &TenantOn<'a, C>| matches!(on.marker.state, State::Cleaning { .. } | State::Arriving { .. });
        match home.marker.state {
            State::Closing(_) => MoveProgress::Draining,
            State::Moving(_) => MoveProgress::Copying,
            // The tenant cannot be written until the next request of the move.
            _ if self.find_giver(home).is_some() => MoveProgress::Copying,
            State::Taken { .. } => MoveProgress::Cleaning,
            _ if self.all.iter().any(is_left) || self.failure.is_some() => MoveProgress::Cleaning,
            _ => MoveProgress::Done,
        }
    }
}

impl<C: Connection> RedisStore<C> {
    /// Reads what the shards with these numbers say of a tenant. Reads again when they contradict each other, because they are read one
    /// after another.
    async fn read_markers<'a>(
        &'a self,
        tenant: &'a TenantId,
        is_wanted: impl Fn(ShardNumber) -> bool,
    ) -> Result<OnShards<'a, C>, StoreError> {
        for _ in 1..MAX_READS {
            let shards = self.read_markers_once(tenant, &is_wanted).await?;
            if shards.find_home().is_ok() {
                return Ok(shards);
            }
        }
        self.read_markers_once(tenant, &is_wanted).await
    }

    async fn read_markers_once<'a>(
        &'a self,
        tenant: &'a TenantId,
        is_wanted: impl Fn(ShardNumber) -> bool,
    ) -> Result<OnShards<'a, C>, StoreError> {
        let mut shards = OnShards {
            all: Vec::new(),
            failure: None,
        };
        for (number, shard) in self.server.shards().filter(|(number, _)| is_wanted(*number)) {
            match TenantOn::read(tenant, number, shard).await {
                Ok(on) => shards.all.push(on),
                Err(error @ StoreError::Unavailable(_)) => shards.failure = Some(error),
                Err(error) => return Err(error),
            }
        }
        Ok(shards)
    }

    /// Returns the shard where a tenant lives; `None` if the tenant lives nowhere.
    async fn locate<'s, 'a>(
        &self,
        tenant: &TenantId,
        shards: &'s OnShards<'a, C>,
    ) -> Result<Option<&'s TenantOn<'a, C>>, StoreError> {
        if let Some(home) = shards.find_home()? {
            return Ok(Some(home));
        }
        if let Some(failure) = &shards.failure {
            return Err(failure.clone());
        }
        let tenant = tenant.as_str();
        let choice = self.server.choose_place(tenant);
        let Some(place) = self.server.ask_directory(tenant, choice, Effect::Reads).await? else {
            return Ok(None);
        };
        let home = shards.get(place)?;
        if home.marker.place.is_some() {
            return Err(corrupt("markers: no shard has the tenant"));
        }
        // The tenant is from before there were shards, or an instance ended before it wrote the marker.
        Ok(Some(home))
    }

    /// Ends what moves have left of a tenant who lives on a shard: a move away from it, the directory, markers that point elsewhere,
    /// and data on other shards.
    async fn settle(
        &self,
        shards: &OnShards<'_, C>,
        home: &TenantOn<'_, C>,
    ) -> Result<MoveProgress, StoreError> {
        // The home is changed first: a move that is about to give the tenant up then fails, and has not told its target.
        let settled = Marker::at(home.number);
        let is_taken = matches!(home.marker.state, State::Taken { .. });
        if let State::Closing(leaving) | State::Moving(leaving) = &home.marker.state
            && !leaving.scan.knows_process(&home.process)
        {
            // The home may have forgotten that it gave the tenant up.
            let target = shards.get(leaving.target)?;
            if !target.forget_move(&leaving.id, home).await? {
                return Ok(MoveProgress::Copying);
            }
        }
        if home.marker != settled && !is_taken && !home.change_marker(&settled).await? {
            return Ok(MoveProgress::Copying);
        }
        let mut call = ScriptCall::with_keys([keys::shards()]);
        call.add_text(home.tenant);
        call.add_text(&home.number);
        SET_PLACE.run_on(self.server.shard(FIRST_SHARD)?, &call).await?;
        if let State::Taken { at, .. } = home.marker.state
            && home.clock < at.saturating_add(KEPT_US)
        {
            yield_to_others(home.shard).await;
            return Ok(MoveProgress::Cleaning);
        }
        for other in shards.all.iter().filter(|on| on.number != home.number) {
            if other.clean_some(home).await? == MoveProgress::Cleaning {
                return Ok(MoveProgress::Cleaning);
            }
        }
        if let Some(failure) = &shards.failure {
            return Err(failure.clone());
        }
        if is_taken {
            home.change_marker(&settled).await?;
            return Ok(MoveProgress::Cleaning);
        }
        Ok(MoveProgress::Done)
    }
}

impl<C: Connection> TenantOn<'_, C> {
    /// Returns whether this shard lets the tenant go to a shard.
    fn is_leaving_for(&self, to: ShardNumber) -> bool {
        let (State::Closing(leaving) | State::Moving(leaving)) = &self.marker.state else {
            return false;
        };
        self.is_home() && leaving.target == to
    }

    /// Returns whether this shard still says that it lets the tenant go to `other`, which has taken the tenant.
    fn has_lost_to(&self, other: &Self) -> bool {
        let (State::Closing(leaving) | State::Moving(leaving)) = &self.marker.state else {
            return false;
        };
        matches!(&other.marker.state, State::Taken { id, .. } if *id == leaving.id)
    }

    /// Deletes some of what moves have left on this shard of a tenant who lives on `home`.
    async fn clean_some(&self, home: &Self) -> Result<MoveProgress, StoreError> {
        let settled = Marker::at(home.number);
        match &self.marker.state {
            State::Cleaning { id, .. } | State::Arriving { id } => {
                self.delete_some(id, home, settled).await?;
                Ok(MoveProgress::Cleaning)
            }
            State::Closing(Leaving { id, .. }) | State::Moving(Leaving { id, .. })
                if self.has_lost_to(home) =>
            {
                self.delete_some(id, home, settled).await?;
                Ok(MoveProgress::Cleaning)
            }
            State::Settled if self.is_home() => Err(corrupt("markers: two shards have the tenant")),
            State::Settled => {
                if self.marker.place.is_some_and(|place| place != home.number) {
                    self.change_marker(&settled).await?;
                }
                Ok(MoveProgress::Done)
            }
            State::Closing(_) | State::Moving(_) | State::Taken { .. } => {
                Err(corrupt("markers: two shards have the tenant"))
            }
        }
    }
}
