//! The servers of a store: one, or several shards among which the tenants are spread. Each command goes to the shard of its keys, so
//! the ports do not know how many there are.

use std::cell::Cell;

use futures::stream::{FuturesUnordered, StreamExt};
use leaderboard_core::StoreError;
use leaderboard_core::ports::{FIRST_SHARD, ShardNumber, Signal};

use crate::connection::{Connection, ConnectionError, Reply, yield_to_others};
use crate::keys;
use crate::library::run_on_shard;
use crate::move_marker::Marker;
use crate::placement::{Placement, RememberedPlaces, choose_shard, read_misplaced};
use crate::reply_reader::{ReplyReader, corrupt, parse_decimal};
use crate::script::{Effect, Script, ScriptCall};
use crate::scripts::{FIND_PLACE, MARK_PLACE, PLACE_TENANT, RUN_READ};
use crate::shard::Shard;

/// How often a command is sent to the shard that an answer names. The guess, the directory and the marker of each shard name one, and
/// while a move hands the tenant over, source and target name each other.
const MAX_HOPS: u32 = 100;
/// How many of these answers may come from old memories. A further one says that a move is about to hand the tenant over, which takes
/// one command.
const HOPS_WITHOUT_PAUSE: u32 = 3;

/// The servers of a store.
#[derive(Debug, Clone)]
pub(crate) struct Server<C> {
    first: Shard<C>,
    /// The shards after the first one, in the order of their numbers.
    further: Vec<Shard<C>>,
    places: RememberedPlaces,
    /// Counts the calls of [`Server::shards_in_turn`].
    turn: Cell<u8>,
}

impl<C: Connection> Server<C> {
    /// Creates the primary, which is the first shard.
    pub(crate) fn new(connection: C) -> Self {
        Self::with_first(Shard::new(connection, false))
    }

    /// Creates a replica.
    pub(crate) fn new_replica(connection: C) -> Self {
        Self::with_first(Shard::new(connection, true))
    }

    fn with_first(first: Shard<C>) -> Self {
        Self {
            first,
            further: Vec::new(),
            places: RememberedPlaces::default(),
            turn: Cell::new(0),
        }
    }

    /// Adds a shard, with the next number.
    pub(crate) fn add_shard(&mut self, connection: C) {
        self.further.push(Shard::new(connection, false));
    }

    /// Returns the shards with their numbers.
    pub(crate) fn shards(&self) -> impl Iterator<Item = (ShardNumber, &Shard<C>)> {
        (FIRST_SHARD..).zip(std::iter::once(&self.first).chain(&self.further))
    }

    /// Returns the shards with their numbers, beginning with another one at each call.
    pub(crate) fn shards_in_turn(&self) -> impl Iterator<Item = (ShardNumber, &Shard<C>)> {
        let turn = self.turn.get();
        self.turn.set(turn.wrapping_add(1));
        let skipped = usize::from(turn % self.count_shards());
        let later = self.shards().skip(skipped);
        later.chain(self.shards().take(skipped))
    }

    /// Returns the number of shards.
    pub(crate) fn count_shards(&self) -> ShardNumber {
        self.shards()
            .map(|(number, _)| number)
            .last()
            .unwrap_or(FIRST_SHARD)
    }

    pub(crate) fn is_sharded(&self) -> bool {
        !self.further.is_empty()
    }

    /// Returns the shard with this number.
    ///
    /// # Errors
    /// [`StoreError::TenantUnavailable`] if this instance does not know it.
    pub(crate) fn shard(&self, number: ShardNumber) -> Result<&Shard<C>, StoreError> {
        let mut shards = self.shards();
        let found = shards.find(|(of_shard, _)| *of_shard == number);
        found
            .map(|(_, shard)| shard)
            .ok_or_else(|| StoreError::TenantUnavailable(format!("shard {number} is not configured")))
    }

    /// Returns the shard on which the tenant lives as far as this instance knows.
    pub(crate) fn guess_place(&self, tenant: &str) -> ShardNumber {
        self.places.guess(tenant, self.count_shards())
    }

    /// Remembers where a tenant lives.
    pub(crate) fn remember_place(&self, tenant: &str, number: ShardNumber) {
        self.places.remember(tenant, number, self.count_shards());
    }

    /// Sends a command that reads the key in its first argument, and returns the values of its reply.
    pub(crate) async fn send_command(
        &self,
        name: &str,
        arguments: &[&[u8]],
    ) -> Result<ReplyReader, StoreError> {
        if let (true, Some((key, rest))) = (self.is_sharded(), arguments.split_first()) {
            let mut call = ScriptCall::with_keys([key.to_vec()]);
            if call.tenant().is_some() {
                call.add_text(name);
                for argument in rest {
                    call.add_bytes(argument);
                }
                return RUN_READ.run(self, &call).await;
            }
        }
        Ok(ReplyReader::new(self.first.command(name, arguments).await?))
    }

    /// Pauses after a step of long work, as [`yield_to_others`].
    pub(crate) async fn yield_to_others(&self) {
        yield_to_others(&self.first).await;
    }

    /// Creates a signal from one request of this instance to another.
    pub(crate) fn signal(&self) -> Signal {
        self.first.signal()
    }

    /// Runs a script for a tenant on the shard where the tenant lives.
    async fn run_for_tenant(
        &self,
        tenant: &str,
        script: &Script,
        call: &ScriptCall,
    ) -> Result<Vec<Reply>, StoreError> {
        let mut has_looked = false;
        let mut number = self.guess_place(tenant);
        let mut placement = Placement::on(tenant, number);
        for hop in 0..MAX_HOPS {
            if hop > HOPS_WITHOUT_PAUSE {
                self.first.pause().await;
            }
            let shard = self.shard(number)?;
            let error = match run_on_shard(shard, script, call, Some(&placement)).await {
                Ok(replies) => {
                    self.remember_place(tenant, number);
                    return Ok(replies);
                }
                Err(error) => error,
            };
            match read_misplaced(&error) {
                Some(0) => match self.find_place(tenant, script.effect).await {
                    Ok(found) => (number, placement) = found,
                    Err(error @ StoreError::TenantUnavailable(_)) => {
                        number = self.find_on_others(tenant, number).await.ok_or(error)?;
                        placement = Placement::on(tenant, number);
                    }
                    Err(error) => return Err(error),
                },
                Some(other) => {
                    // Also when that shard does not answer, so that its circuit breaker opens and no other one.
                    self.remember_place(tenant, other);
                    (number, placement) = (other, Placement::on(tenant, other));
                }
                // The tenant can have been moved away from that shard.
                None if !has_looked && matches!(error, ConnectionError::Unavailable(_)) => {
                    has_looked = true;
                    number = self.find_on_others(tenant, number).await.ok_or(error)?;
                    placement = Placement::on(tenant, number);
                }
                None => return Err(error.into()),
            }
        }
        Err(StoreError::TenantUnavailable(
            "the shards disagree about where the tenant lives".into(),
        ))
    }

    /// Returns the shard whose marker says that the tenant lives there, without asking the shard `failed`. The first such answer counts,
    /// so a shard that hangs delays only the search for a tenant who is on none of them.
    pub(crate) async fn find_on_others(&self, tenant: &str, failed: ShardNumber) -> Option<ShardNumber> {
        let marker = keys::shard_marker(tenant);
        let others = self.shards().filter(|(number, _)| *number != failed);
        let asked: FuturesUnordered<_> = others
            .map(|(number, shard)| read_home(number, shard, &marker))
            .collect();
        asked.filter_map(std::future::ready).next().await
    }

    /// Returns the shard of a new tenant.
    pub(crate) fn choose_place(&self, tenant: &str) -> ShardNumber {
        choose_shard(tenant, self.count_shards())
    }

    /// Asks the directory where a tenant lives. A tenant that lives nowhere gets a shard when a script writes.
    async fn find_place(&self, tenant: &str, effect: Effect) -> Result<(ShardNumber, Placement), StoreError> {
        let choice = self.choose_place(tenant);
        if effect == Effect::Reads {
            // The marker is missing if an instance ended before it wrote the marker. Only a write repairs this.
            let place = self
                .ask_directory(tenant, choice, effect)
                .await?
                .unwrap_or(choice);
            return Ok((place, Placement::on_or_nowhere(tenant, place)));
        }
        let place = self.place_tenant(tenant, choice).await?;
        Ok((place, Placement::on(tenant, place)))
    }

    /// Returns where a tenant lives according to the directory. A tenant that lives nowhere gets the shard `choice` if `effect` is a
    /// write; for a read, returns `None`.
    ///
    /// # Errors
    /// [`StoreError::TenantUnavailable`] if the directory does not answer.
    pub(crate) async fn ask_directory(
        &self,
        tenant: &str,
        choice: ShardNumber,
        effect: Effect,
    ) -> Result<Option<ShardNumber>, StoreError> {
        let script = match effect {
            Effect::Reads => &FIND_PLACE,
            Effect::Writes | Effect::FreesMemory => &PLACE_TENANT,
        };
        let mut call = ScriptCall::with_keys(keys::tenant_directory(tenant));
        call.add_text(tenant);
        call.add_text(&choice);
        let answer = run_on_shard(&self.first, script, &call, None).await;
        let replies = answer.map_err(|error| match StoreError::from(error) {
            // The error is not one of the tenant's shard.
            StoreError::Unavailable(cause) => {
                StoreError::TenantUnavailable(format!("the directory of tenants: {cause}"))
            }
            other => other,
        })?;
        let place = parse_decimal(&ReplyReader::new(replies).read_bytes()?)?;
        let place = ShardNumber::try_from(place).map_err(corrupt)?;
        Ok(Some(place).filter(|place| *place > 0))
    }

    /// Gives a tenant the shard `choice`, unless the tenant lives somewhere. Returns where the tenant lives.
    pub(crate) async fn place_tenant(
        &self,
        tenant: &str,
        choice: ShardNumber,
    ) -> Result<ShardNumber, StoreError> {
        let place = self.ask_directory(tenant, choice, Effect::Writes).await?;
        let place = place.ok_or_else(|| corrupt("directory of tenants"))?;
        self.mark_place(tenant, place, place).await?;
        let guess = self.choose_place(tenant);
        if guess != place {
            self.mark_place(tenant, guess, place).await?;
        }
        Ok(place)
    }

    /// Writes on a shard where a tenant lives, unless the shard knows it.
    async fn mark_place(&self, tenant: &str, on: ShardNumber, place: ShardNumber) -> Result<(), StoreError> {
        let mut call = ScriptCall::with_keys([keys::shard_marker(tenant)]);
        call.add_text(&place);
        run_on_shard(self.shard(on)?, &MARK_PLACE, &call, None).await?;
        Ok(())
    }
}

/// Returns the number of a shard if the tenant's marker says that the tenant lives there.
async fn read_home<C: Connection>(
    number: ShardNumber,
    shard: &Shard<C>,
    marker: &[u8],
) -> Option<ShardNumber> {
    let replies = shard.command("GET", &[marker]).await.ok()?;
    let found = ReplyReader::new(replies).read_optional_bytes().ok().flatten()?;
    let is_home = Marker::parse(&found).is_ok_and(|found| found.place == Some(number));
    is_home.then_some(number)
}

impl Script {
    /// Runs the script in one command, on the shard of the call's keys.
    pub(crate) async fn run<C: Connection>(
        &self,
        server: &Server<C>,
        call: &ScriptCall,
    ) -> Result<ReplyReader, StoreError> {
        let tenant = if server.is_sharded() { call.tenant() } else { None };
        let replies = match tenant {
            Some(tenant) => server.run_for_tenant(tenant, self, call).await?,
            None => run_on_shard(&server.first, self, call, None).await?,
        };
        Ok(ReplyReader::new(replies))
    }

    /// Runs the script on one shard, also for a tenant who does not live there.
    pub(crate) async fn run_on<C: Connection>(
        &self,
        shard: &Shard<C>,
        call: &ScriptCall,
    ) -> Result<ReplyReader, ConnectionError> {
        Ok(ReplyReader::new(run_on_shard(shard, self, call, None).await?))
    }
}
