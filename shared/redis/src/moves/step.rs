//! The steps of a move, up to the target that takes the tenant.

use leaderboard_core::StoreError;
use leaderboard_core::ports::{MoveProgress, MoveRefusal};

use super::tenant_on::TenantOn;
use crate::connection::Connection;
use crate::move_marker::{Leaving, Marker, PREPARED, SCAN_START, Scan, State, UNTOUCHED};
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
            // The tenant lives there, so no other move has left anything.
            State::Settled | State::Arriving { .. } | State::Cleaning { .. } => {
                return self.begin().await.map(Ok);
            }
        };
        if leaving.target != self.target.number {
            return Ok(Err(MoveRefusal::MovingTo(leaving.target)));
        }
        let arriving = self.arriving(leaving);
        Ok(Ok(
            if leaving.scan.processes != self.processes || self.target.marker != arriving {
                self.begin_again(leaving, &arriving).await?
            } else if is_closed {
                self.copy_some(leaving).await?
            } else {
                self.prepare(leaving).await?
            },
        ))
    }

    /// Returns the marker of the target until it takes the tenant.
    pub(super) fn arriving(&self, leaving: &Leaving) -> Marker {
        let id = leaving.id.clone();
        Marker::new(self.source.number, State::Arriving { id })
    }

    /// Changes the marker of the source, unless another call has changed it. Returns whether it did.
    pub(super) async fn change_source(&self, to: State) -> Result<bool, StoreError> {
        let to = Marker::new(self.source.number, to);
        self.source.change_marker(&to).await
    }

    /// Begins the move: the queue of the source is closed. The source alone decides, so two calls begin one move.
    async fn begin(&self) -> Result<MoveProgress, StoreError> {
        let leaving = Leaving {
            target: self.target.number,
            id: self.source.clock.to_string(),
            scan: Scan::new(&self.processes),
        };
        self.change_source(State::Closing(leaving)).await?;
        Ok(MoveProgress::Draining)
    }

    /// Begins again with the preparation of the target: the target does not know of the move yet, or one of the servers was started
    /// again. It may have lost its last writes, which can be deletions of the preparation.
    async fn begin_again(&self, leaving: &Leaving, arriving: &Marker) -> Result<MoveProgress, StoreError> {
        if self.target.is_home() {
            return Err(corrupt("markers: two shards have the tenant"));
        }
        if self.target.marker == *arriving || self.target.change_marker(arriving).await? {
            let scan = Scan::new(&self.processes);
            self.change_source(State::Closing(leaving.with_scan(scan)))
                .await?;
        }
        Ok(MoveProgress::Draining)
    }

    /// Deletes what the target has from an earlier move, then waits for the queue. Then closes the source for writes.
    async fn prepare(&self, leaving: &Leaving) -> Result<MoveProgress, StoreError> {
        let scan = &leaving.scan;
        if scan.cursor != PREPARED {
            let cursor = self.target.delete_some(&self.target.marker, &scan.cursor).await?;
            let next = match cursor.as_str() {
                SCAN_START => scan.at(PREPARED),
                cursor => scan.at(cursor),
            };
            self.change_source(State::Closing(leaving.with_scan(next)))
                .await?;
        } else if !self.source.is_queued {
            let scan = scan.at(SCAN_START);
            self.change_source(State::Moving(leaving.with_scan(scan))).await?;
            return Ok(MoveProgress::Copying);
        }
        Ok(MoveProgress::Draining)
    }

    /// Lets the source give the tenant up, and the target take the tenant.
    pub(super) async fn hand_over(&self, leaving: &Leaving) -> Result<MoveProgress, StoreError> {
        let given_up = Marker::new(
            self.target.number,
            State::Cleaning {
                id: leaving.id.clone(),
                scan: leaving.scan.at(UNTOUCHED),
            },
        );
        if self.source.change_marker(&given_up).await? {
            // If the process of the target is another, the next call finds what to do.
            self.take().await?;
        }
        Ok(MoveProgress::Cleaning)
    }

    /// Lets the target take the tenant, if its process is still this one. Returns whether it did.
    async fn take(&self) -> Result<bool, StoreError> {
        let taken = Marker::at(self.target.number);
        self.target
            .change_marker_within(&self.target.process, &taken)
            .await
    }

    /// Continues when the source has given the tenant up and the target has not taken it.
    pub(super) async fn finish_handover(&self) -> Result<MoveProgress, StoreError> {
        let State::Cleaning { id, scan } = &self.source.marker.state else {
            return Ok(MoveProgress::Copying);
        };
        if scan.processes != self.processes && scan.cursor == UNTOUCHED {
            // The target may have lost what was copied last, and the source still has everything.
            self.change_source(State::Closing(Leaving {
                target: self.target.number,
                id: id.clone(),
                scan: Scan::new(&self.processes),
            }))
            .await?;
            return Ok(MoveProgress::Draining);
        }
        self.take().await?;
        Ok(MoveProgress::Cleaning)
    }
}
