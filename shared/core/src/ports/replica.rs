//! A replica of the store, which is near the region and behind the primary.

use crate::{StoreError, Timestamp};

/// A replica of the store. The default methods are those of a store without a replica.
///
/// A replica has changes in the order in which the primary made them. So when the primary stores the time of its clock as one more
/// change, a replica with this value has every change that the primary made before.
pub trait Replica {
    /// Returns whether reads of entries can use a replica ([`super::ReadSource`]).
    fn has_replica(&self) -> bool {
        false
    }

    /// Stores the time of the primary's clock, for its replicas.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn write_clock(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Asks the replica for the last time that [`Replica::write_clock`] stored: the replica has every change from before this instant
    /// of the primary's clock. Returns `None` if it has no such time.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the replica does not answer, or does not serve clients now.
    async fn read_replica_clock(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }
}
