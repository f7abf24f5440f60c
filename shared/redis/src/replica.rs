//! The [`Replica`] port: reads from a replica, and the clock that says which changes a replica has.

use leaderboard_core::ports::{NeededChanges, PeriodRef, ReadError, Replica, ReplicaRefusal};
use leaderboard_core::{StoreError, Timestamp};

use crate::connection::Connection;
use crate::keys::LeaderboardKeys;
use crate::reply_reader::{ReplyReader, corrupt, parse_decimal};
use crate::script::{Script, ScriptCall};
use crate::scripts::WRITE_CLOCK;
use crate::server::Server;
use crate::{RedisStore, keys};

/// The code of a read that was answered, as in `period_reads.lua`.
const ANSWERED: u64 = 1;

impl<C: Connection> Replica for RedisStore<C> {
    fn has_replica(&self) -> bool {
        self.replica.is_some()
    }

    async fn write_clock(&self) -> Result<(), StoreError> {
        let call = ScriptCall::with_keys([keys::clock()]);
        WRITE_CLOCK.run(&self.server, &call).await?;
        Ok(())
    }

    async fn read_replica_clock(&self) -> Result<Option<Timestamp>, StoreError> {
        let Some(replica) = &self.replica else {
            return Ok(None);
        };
        let mut reply = replica.send_command("GET", &[&keys::clock()]).await?;
        let Some(clock) = reply.read_optional_bytes()? else {
            return Ok(None);
        };
        let ms = i64::try_from(parse_decimal(&clock)?).map_err(corrupt)?;
        Ok(Timestamp::from_unix_ms(ms))
    }
}

/// Runs a script that begins with `open_read` on a replica, and reads its code. The replica answers only if it has the needed changes,
/// knows the configuration, and has no pending bans, which only the primary can apply.
///
/// # Errors
/// [`ReadError::Replica`].
pub(crate) async fn run_read_on_replica<C: Connection>(
    replica: &Server<C>,
    script: &Script,
    period_ref: &PeriodRef<'_>,
    needed: NeededChanges,
    mut call: ScriptCall,
) -> Result<ReplyReader, ReadError> {
    let leaderboard_keys = LeaderboardKeys::new(period_ref.tenant, &period_ref.leaderboard.value.id);
    call.add_keys([keys::clock(), leaderboard_keys.log()]);
    call.replace_first_argument(&format!(
        "{} {} {} {}",
        period_ref.leaderboard.version,
        period_ref.now.as_unix_ms(),
        needed.position,
        needed.until.as_unix_ms().max(0),
    ));
    let refusal = match script.run(replica, &call).await {
        Ok(mut reply) => {
            if reply.read_count()? == ANSWERED {
                return Ok(reply);
            }
            ReplicaRefusal::Behind
        }
        Err(StoreError::Unavailable(cause)) => ReplicaRefusal::Unavailable(cause),
        // The primary may run what this replica cannot run; if not, its error is the one to report.
        Err(_) => ReplicaRefusal::Behind,
    };
    Err(ReadError::Replica(refusal))
}
