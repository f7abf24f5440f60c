//! The ports of exports and imports in the store of tests.

use leaderboard_core::ports::{
    ClaimPage, Exports, ImportRefusal, ImportStep, Imports, ListedPeriod, NewImport, PeriodRef, ReadError,
    StoredImport,
};
use leaderboard_core::{Entry, LeaderboardId, OrderKey, StoreError, TenantId, Timestamp};

use super::store::Store;

impl Exports for Store {
    async fn find_stored_period(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        index: u64,
    ) -> Result<ListedPeriod, StoreError> {
        self.model_if_up()?
            .find_stored_period(tenant, leaderboard, index)
            .await
    }

    async fn list_stored_entries(
        &self,
        period_ref: &PeriodRef<'_>,
        is_banned: bool,
        after: Option<&OrderKey>,
    ) -> Result<Vec<Entry>, ReadError> {
        self.model_if_up()?
            .list_stored_entries(period_ref, is_banned, after)
            .await
    }

    async fn list_claims(&self, period_ref: &PeriodRef<'_>, from: &[u8]) -> Result<ClaimPage, ReadError> {
        self.model_if_up()?.list_claims(period_ref, from).await
    }
}

impl Imports for Store {
    async fn find_import(&self, tenant: &TenantId) -> Result<Option<StoredImport>, StoreError> {
        self.model_if_up()?.find_import(tenant).await
    }

    async fn begin_import(&self, import: &NewImport<'_>) -> Result<Result<(), ImportRefusal>, StoreError> {
        self.model_if_room()?.begin_import(import).await
    }

    async fn write_import(&self, step: &ImportStep<'_>) -> Result<Result<(), ImportRefusal>, StoreError> {
        self.model_if_room()?.write_import(step).await
    }

    async fn finish_import(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        expected: &[u8],
    ) -> Result<Result<(), ImportRefusal>, StoreError> {
        self.model_if_room()?
            .finish_import(tenant, leaderboard, expected)
            .await
    }

    async fn discard_import(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        written_until: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        self.model_if_up()?
            .discard_import(tenant, leaderboard, written_until)
            .await
    }
}
