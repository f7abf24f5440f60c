//! The steps of a move, up to the target that takes the tenant.

use leaderboard_core::StoreError;
use leaderboard_core::ports::{MoveProgress, MoveRefusal};

use super::KEPT_US;
use super::tenant_on::TenantOn;
use crate::connection::Connection;
use crate::move_marker::{Leaving, Marker, Scan, State, UNTOUCHED};
use crate::reply_reader::corrupt;

/// A tenant on the shard that the tenant leaves, and on the one to which the tenant goes.
pub(super) struct Move<'s, 'a, C> {
    pub(super) source: &'s TenantOn<'a, C>,
    pub(super) target: &'s TenantOn<'a, C>,
    /// The processes of both servers, as a scan names them.
    processes: String,
}

impl<'s, 'a, C: Connection> Move<'s, 'a, C> {
    pub(super) fn new(source: &'s TenantOn<'a, C>, target: &'s TenantOn<'a, C>) -> Self {
        Self {
            source,
            target,
            processes: source.processes_with(target),
        }
    }

    /// Does the next step, as the markers say.
    pub(super) async fn step(&self) -> Result<Result<MoveProgress, MoveRefusal>, StoreError> {
        let (leaving, is_closed) = match &self.source.marker.state {
            State::Closing(leaving) => (leaving, false),
            State::Moving(leaving) => (leaving, true),
            // The tenant lives there, so no other move is under way.
            State::Settled | State::Taken { .. } | State::Arriving { .. } | State::Cleaning { .. } => {
                return self.begin().await.map(Ok);
            }
        };
        if leaving.target != self.target.number {
            return Ok(Err(MoveRefusal::MovingTo(leaving.target)));
        }
        if self.target.is_home() {
            return Err(corrupt("markers: two shards have the tenant"));
        }
        let is_prepared = self.target.marker == self.arriving(&leaving.id);
        Ok(Ok(
            if leaving.scan.processes != self.processes || is_closed && !is_prepared {
                self.begin().await?
            } else if is_closed {
                self.copy_some(leaving).await?
            } else if is_prepared {
                self.close(leaving).await?
            } else {
                let (id, end) = (&leaving.id, self.arriving(&leaving.id));
                self.target.delete_some(id, self.source, end).await?;
                MoveProgress::Draining
            },
        ))
    }

    /// Returns the marker of the target until it takes the tenant.
    pub(super) fn arriving(&self, id: &str) -> Marker {
        Marker::new(self.source.number, State::Arriving { id: id.to_owned() })
    }

    /// Changes the marker of the source, unless another call has changed it.
    pub(super) async fn change_source(&self, to: State) -> Result<(), StoreError> {
        let to = Marker::new(self.source.number, to);
        self.source.change_marker(&to).await.map(drop)
    }

    /// Begins the move: the queue of the source is closed, and the target has to be prepared. The source alone decides, so two calls begin
    /// one move. If a server was started again during the move, it may have lost its last writes, so everything is done again, with a
    /// new id: late parts of the first attempt are refused.
    ///
    /// Before it begins again, the target forgets the first attempt: a late call that lets the target take the tenant is then refused,
    /// and nothing changes if the target has taken the tenant meanwhile.
    async fn begin(&self) -> Result<MoveProgress, StoreError> {
        let earlier = match &self.source.marker.state {
            State::Closing(leaving) | State::Moving(leaving) => Some(&leaving.id),
            State::Cleaning { id, .. } => Some(id),
            State::Settled | State::Taken { .. } | State::Arriving { .. } => None,
        };
        if let Some(id) = earlier
            && !self.target.forget_move(id, self.source).await?
        {
            return Ok(MoveProgress::Draining);
        }
        self.change_source(State::Closing(Leaving {
            target: self.target.number,
            id: self.source.clock.to_string(),
            scan: Scan::new(&self.processes),
        }))
        .await?;
        Ok(MoveProgress::Draining)
    }

    /// Closes the source for writes, when the queue has no request of the tenant. The source has the marker of this move for a while
    /// before the target can take the tenant: a source that crashes then still knows of the move.
    async fn close(&self, leaving: &Leaving) -> Result<MoveProgress, StoreError> {
        let began_at: u64 = leaving.id.parse().map_err(corrupt)?;
        if self.source.is_queued || self.source.clock < began_at.saturating_add(KEPT_US) {
            return Ok(MoveProgress::Draining);
        }
        self.change_source(State::Moving(leaving.clone())).await?;
        Ok(MoveProgress::Copying)
    }

    /// Lets the source give the tenant up, and the target take the tenant.
    pub(super) async fn hand_over(&self, leaving: &Leaving) -> Result<MoveProgress, StoreError> {
        let state = State::Cleaning {
            id: leaving.id.clone(),
            scan: leaving.scan.at(UNTOUCHED),
        };
        let given_up = Marker::new(self.target.number, state);
        // The step may have taken long since the clock was read.
        let target = TenantOn::read(self.target.tenant, self.target.number, self.target.shard);
        let now = target.await?.clock;
        if self
            .source
            .change_marker_within(&self.source.process, &given_up)
            .await?
        {
            self.take(&leaving.id, now).await?;
        }
        Ok(MoveProgress::Cleaning)
    }

    /// Lets the target take the tenant at an instant of its clock, unless its process is another one.
    async fn take(&self, id: &str, at: u64) -> Result<(), StoreError> {
        let id = id.to_owned();
        let state = State::Taken { id, at };
        let taken = Marker::new(self.target.number, state);
        let process = &self.target.process;
        self.target.change_marker_within(process, &taken).await.map(drop)
    }

    /// Continues when the source has given the tenant up and the target has not taken it.
    pub(super) async fn finish_handover(&self) -> Result<MoveProgress, StoreError> {
        let State::Cleaning { id, scan } = &self.source.marker.state else {
            return Ok(MoveProgress::Copying);
        };
        let is_same_process = scan.knows_process(&self.target.process);
        let is_arriving = self.target.marker == self.arriving(id);
        if is_arriving && (is_same_process || !scan.is_untouched()) {
            self.take(id, self.target.clock).await?;
            return Ok(MoveProgress::Cleaning);
        }
        // The target was started again and may have lost what was copied last, and the source still has everything.
        self.begin().await
    }
}
