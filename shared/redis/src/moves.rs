//! The [`Shards`] port: on which shard a tenant lives, and moves to another shard.
//!
//! The markers of both shards say how far a move is, so any instance can continue it. `source` and `target` are numbers of shards:
//!
//! | marker on the source | marker on the target | what happens |
//! |---|---|---|
//! | `source closing target id scan` | any, then `source arriving id` | old data on the target is deleted; the queue is drained |
//! | `source moving target id scan` | `source arriving id` | keys are copied; the source refuses writes |
//! | `target cleaning id scan` | `source arriving id` | the source has given the tenant up, and the target takes it |
//! | `target cleaning id scan` | `target` | the keys on the source are deleted |
//! | `target` | `target` | the move is done |
//!
//! A tenant lives where the marker begins with the shard's own number. The source gives the tenant up before the target takes it, so
//! no two shards accept writes at one time. Each change of a marker names the marker that it replaces. The id is the source's clock
//! at the beginning: what an earlier move copies late is refused. A scan is a cursor and the processes of both servers: when a server
//! was started again, the move begins again with `closing`.

mod copy;
mod step;
mod tenant_on;

use leaderboard_core::ports::{FIRST_SHARD, MoveProgress, MoveRefusal, ShardNumber, Shards, TenantPlace};
use leaderboard_core::{StoreError, TenantId};

use self::step::Move;
use self::tenant_on::TenantOn;
use crate::connection::Connection;
use crate::keys;
use crate::move_marker::{Marker, SCAN_START, Scan, State};
use crate::reply_reader::corrupt;
use crate::script::{Effect, ScriptCall};
use crate::scripts::SET_PLACE;
use crate::{RedisStore, ping};

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

    async fn find_shard(&self, tenant: &TenantId) -> Result<Option<TenantPlace>, StoreError> {
        if !self.server.is_sharded() {
            return Ok(Some(TenantPlace {
                shard: FIRST_SHARD,
                progress: MoveProgress::Done,
            }));
        }
        let shards = self.read_markers(tenant).await?;
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
        let shards = self.read_markers(tenant).await?;
        let Some(home) = self.locate(tenant, &shards).await? else {
            self.server.place_tenant(tenant.as_str(), to).await?;
            return Ok(Ok(MoveProgress::Draining));
        };
        if let Some(source) = shards.find_giver(home) {
            return Move::new(source, home).finish_handover().await.map(Ok);
        }
        if home.number == to {
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

    /// Returns the shard that has given the tenant up for `taker`, which has not taken the tenant yet.
    fn find_giver(&self, taker: &TenantOn<'a, C>) -> Option<&TenantOn<'a, C>> {
        let State::Arriving { id } = &taker.marker.state else {
            return None;
        };
        self.all.iter().find(|on| {
            on.marker.place == Some(taker.number)
                && matches!(&on.marker.state, State::Cleaning { id: of_giver, .. } if of_giver == id)
        })
    }

    /// Returns the shard where the tenant lives, as the markers say.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if several shards say that the tenant lives there.
    fn find_home(&self) -> Result<Option<&TenantOn<'a, C>>, StoreError> {
        let mut homes = self.all.iter().filter(|on| on.is_home());
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
            // The tenant cannot be written until the next request of the move.
            State::Moving(_) | State::Arriving { .. } => MoveProgress::Copying,
            State::Settled | State::Cleaning { .. } => {
                match self.all.iter().any(is_left) || self.failure.is_some() {
                    true => MoveProgress::Cleaning,
                    false => MoveProgress::Done,
                }
            }
        }
    }
}

impl<C: Connection> RedisStore<C> {
    /// Reads what each shard says of a tenant.
    async fn read_markers<'a>(&'a self, tenant: &'a TenantId) -> Result<OnShards<'a, C>, StoreError> {
        let mut shards = OnShards {
            all: Vec::new(),
            failure: None,
        };
        for (number, shard) in self.server.shards() {
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
        let settled = Marker::at(home.number);
        // The home is changed first: a move that is about to give the tenant up then fails, and has not told its target.
        if home.marker != settled && !home.change_marker(&settled).await? {
            return Ok(MoveProgress::Copying);
        }
        let mut call = ScriptCall::with_keys([keys::shards()]);
        call.add_text(home.tenant);
        call.add_text(&home.number);
        SET_PLACE.run_on(self.server.shard(FIRST_SHARD)?, &call).await?;
        self.server.remember_place(home.tenant.as_str(), home.number);
        for other in shards.all.iter().filter(|on| on.number != home.number) {
            if other.clean_some(home).await? == MoveProgress::Cleaning {
                return Ok(MoveProgress::Cleaning);
            }
        }
        shards.failure.clone().map_or(Ok(MoveProgress::Done), Err)
    }
}

impl<C: Connection> TenantOn<'_, C> {
    /// Deletes some of what a move has left on this shard of a tenant who lives on `home`.
    async fn clean_some(&self, home: &Self) -> Result<MoveProgress, StoreError> {
        let settled = Marker::at(home.number);
        let processes = self.processes_with(home);
        let cleaning = |id: &str, scan| {
            let state = State::Cleaning {
                id: id.to_owned(),
                scan,
            };
            Marker::new(home.number, state)
        };
        match &self.marker.state {
            State::Cleaning { id, scan } => {
                let is_begun = scan.processes == processes && scan.is_begun();
                let next = if is_begun {
                    match self.delete_some(&self.marker, &scan.cursor).await?.as_str() {
                        SCAN_START => settled,
                        cursor => cleaning(id, scan.at(cursor)),
                    }
                } else {
                    cleaning(id, Scan::new(&processes))
                };
                self.change_marker(&next).await?;
                Ok(MoveProgress::Cleaning)
            }
            // The target of a move that was given up.
            State::Arriving { id } => {
                self.change_marker(&cleaning(id, Scan::new(&processes))).await?;
                Ok(MoveProgress::Cleaning)
            }
            State::Settled => {
                if self.marker.place.is_some_and(|place| place != home.number) {
                    self.change_marker(&settled).await?;
                }
                Ok(MoveProgress::Done)
            }
            State::Closing(_) | State::Moving(_) => Err(corrupt("markers: two shards have the tenant")),
        }
    }
}
