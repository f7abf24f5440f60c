//! Exports and imports without HTTP, for the tests of the ports.

use leaderboard_core::ports::ReadSource;
use leaderboard_core::usecase::{
    Deps, ImportError, ImportLimits, ImportProgress, LeaderboardMemory, export_page, import_lines,
};
use leaderboard_core::{ExportLine, LeaderboardId, TenantId, Timestamp};
use leaderboard_test_support::{AllPorts, NoCache};

/// How many lines a request of [`import_all`] has. It is small, so that a period has its lines in several requests.
const LINES_AT_ONCE: usize = 7;

/// A store, and the tenant and the instant of the calls.
#[derive(Debug)]
pub(crate) struct TransferSide<'a, S> {
    pub(crate) store: &'a S,
    pub(crate) tenant: &'a TenantId,
    pub(crate) now: Timestamp,
    pub(crate) memory: LeaderboardMemory,
}

impl<'a, S: AllPorts> TransferSide<'a, S> {
    pub(crate) fn new(store: &'a S, tenant: &'a TenantId, now: Timestamp) -> Self {
        Self {
            store,
            tenant,
            now,
            memory: LeaderboardMemory::default(),
        }
    }

    pub(crate) fn deps(&self) -> Deps<'_, S, NoCache> {
        Deps {
            store: self.store,
            cache: None,
            leaderboard_memory: &self.memory,
            tenant: self.tenant,
            now: self.now,
            source: ReadSource::Primary,
        }
    }

    /// Returns all lines of the export of a leaderboard. Claims of a period are in the order of their players, because a store can
    /// list them in any order.
    pub(crate) async fn export(&self, id: &LeaderboardId) -> Vec<ExportLine> {
        let (mut lines, mut cursor) = (Vec::new(), None);
        loop {
            let page = export_page(&self.deps(), id, cursor).await.unwrap();
            lines.extend(page.lines);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let is_claim = |line: &ExportLine| matches!(line, ExportLine::Claim(..));
        for claims in lines.chunk_by_mut(|one, next| is_claim(one) && is_claim(next)) {
            claims.sort_by_key(|line| match line {
                ExportLine::Claim(player, _) => Some(player.clone()),
                _ => None,
            });
        }
        lines
    }

    /// Imports lines from a number on.
    pub(crate) async fn import(
        &self,
        id: &LeaderboardId,
        first: u64,
        lines: &[ExportLine],
        limits: &ImportLimits,
    ) -> Result<ImportProgress, ImportError> {
        import_lines(&self.deps(), id, first, lines.to_vec(), limits).await
    }

    /// Imports all lines, some at a time. Sends the lines of every request twice.
    pub(crate) async fn import_all(&self, id: &LeaderboardId, lines: &[ExportLine]) {
        let mut first = 1;
        for some in lines.chunks(LINES_AT_ONCE) {
            let progress = self
                .import(id, first, some, &ImportLimits::default())
                .await
                .unwrap();
            let last = first + some.len() as u64 - 1;
            assert_eq!(progress.lines, last);
            assert_eq!(progress.is_finished, last == lines.len() as u64);
            if !progress.is_finished {
                let again = self.import(id, first, some, &ImportLimits::default()).await;
                assert_eq!(again, Ok(progress));
            }
            first += some.len() as u64;
        }
    }
}
