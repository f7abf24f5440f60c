//! The port [`Scores`]. Each call is one or more transactions.

use futures::FutureExt;
use leaderboard_core::access::Caller;
use leaderboard_core::ports::{
    Page, PageFrom, PeriodPage, PeriodRef, PeriodSummary, PlayerEntries, Positions, ReadError, Sample,
    Scores, SubmitOptions, Submitted,
};
use leaderboard_core::{
    LeaderboardId, Period, PeriodId, PlayerId, PreparedSubmission, StoreError, TenantId, Timestamp,
};

use crate::bans::{self, MAX_BAN_STEPS};
use crate::connection::Connection;
use crate::group_commit::MAX_SUBMISSIONS_PER_TRANSACTION;
use crate::reads::{entries_by_player, frequent, page, sample};
use crate::row::{Cells, corrupt};
use crate::session::Session;
use crate::{SqliteStore, removal};

/// Selects the columns that [`read_summary`] reads, of periods that have entries and have not expired at `?3`.
const SUMMARIES: &str = "SELECT p.id, p.starts_at, p.ends_at, p.visible, p.version \
     FROM leaderboards b JOIN periods p ON p.leaderboard = b.row \
     WHERE b.tenant = ?1 AND b.id = ?2 AND p.total > 0 AND (p.expires_at IS NULL OR p.expires_at > ?3)";

impl<C: Connection> Scores for SqliteStore<C> {
    async fn submit_with_options(
        &self,
        tenant: &TenantId,
        submissions: &[PreparedSubmission],
        options: &SubmitOptions,
    ) -> Result<Submitted, StoreError> {
        if submissions.len() > MAX_SUBMISSIONS_PER_TRANSACTION {
            self.submit_in_transactions(tenant, submissions, options)
                .boxed_local()
                .await
        } else {
            self.submit_in_group(tenant, submissions, options)
                .boxed_local()
                .await
        }
    }

    async fn page(
        &self,
        period_ref: &PeriodRef<'_>,
        from: &PageFrom,
        limit: u32,
        caller: &Caller,
    ) -> Result<Page, ReadError> {
        if *from == PageFrom::Top
            && let Some(page) =
                self.single(|session| frequent::read_top(session, period_ref, limit, caller))?
        {
            return Ok(page);
        }
        self.read_at(period_ref, |session| {
            page::page(session, period_ref, from, limit, caller)
        })
        .await
    }

    async fn around(
        &self,
        period_ref: &PeriodRef<'_>,
        player: &PlayerId,
        limit: u32,
        caller: &Caller,
    ) -> Result<Option<Page>, ReadError> {
        if let Some(page) =
            self.single(|session| frequent::read_around(session, period_ref, player, limit, caller))?
        {
            return Ok(page);
        }
        self.read_at(period_ref, |session| {
            page::around(session, period_ref, player, limit, caller)
        })
        .await
    }

    async fn entries_by_player(
        &self,
        period_ref: &PeriodRef<'_>,
        players: &[PlayerId],
        caller: &Caller,
    ) -> Result<PlayerEntries, ReadError> {
        if let [player] = players
            && let Some(entries) =
                self.single(|session| frequent::read_player(session, period_ref, player, caller))?
        {
            return Ok(entries);
        }
        self.read_at(period_ref, |session| {
            entries_by_player::read(session, period_ref, players, caller)
        })
        .await
    }

    async fn sample(&self, period_ref: &PeriodRef<'_>, fractions: &[u16]) -> Result<Sample, ReadError> {
        self.read_at(period_ref, |session| {
            sample::sample(session, period_ref, fractions)
        })
        .await
    }

    async fn positions(
        &self,
        period_ref: &PeriodRef<'_>,
        tuples: &[Vec<u8>],
    ) -> Result<Positions, ReadError> {
        self.read_at(period_ref, |session| {
            sample::positions(session, period_ref, tuples)
        })
        .await
    }

    async fn find_period(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        id: &PeriodId,
        now: Timestamp,
    ) -> Result<Option<PeriodSummary>, StoreError> {
        let sql = format!("{SUMMARIES} AND p.id = ?4");
        let parameters = [tenant.into(), leaderboard.into(), now.into(), id.into()];
        self.single(|session| session.map_row(&sql, &parameters, read_summary))
    }

    async fn list_periods(
        &self,
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        before: Option<Timestamp>,
        limit: u32,
        now: Timestamp,
    ) -> Result<PeriodPage, StoreError> {
        // The same expression as in the index `periods_by_start`, so that SQLite uses the index.
        const PAGE: &str = "AND coalesce(p.starts_at, -9223372036854775807) < ?4 \
             ORDER BY coalesce(p.starts_at, -9223372036854775807) DESC, p.id LIMIT ?5 + 0";
        let parameters = [
            tenant.into(),
            leaderboard.into(),
            now.into(),
            before.map_or(i64::MAX, Timestamp::as_unix_ms).into(),
            i64::from(limit).saturating_add(1).into(),
        ];
        let sql = format!("{SUMMARIES} {PAGE}");
        let mut periods = self
            .read_leaderboard((tenant, leaderboard, now), |session| {
                session.map_rows(&sql, &parameters, read_summary)
            })
            .await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = periods.len() > limit;
        periods.truncate(limit);
        let last = periods.last().filter(|_| more);
        Ok(PeriodPage {
            before: last.and_then(|last| last.period.starts_at),
            periods,
        })
    }

    async fn remove(
        &self,
        period_ref: &PeriodRef<'_>,
        player: &PlayerId,
        at: Timestamp,
    ) -> Result<Option<u64>, ReadError> {
        self.write(|session| removal::remove(session, period_ref, player, at))
            .await
    }
}

/// Tenant, leaderboard and instant of a read.
type LeaderboardAt<'a> = (&'a TenantId, &'a LeaderboardId, Timestamp);

impl<C: Connection> SqliteStore<C> {
    /// Reads a period. Applies pending bans first; if that fails, reads the period without them.
    pub(crate) async fn read_at<T>(
        &self,
        period_ref: &PeriodRef<'_>,
        work: impl Fn(&Session<'_>) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let behind = ReadError::Store(bans::refuse_behind());
        for _ in 0..MAX_BAN_STEPS {
            let done = self.read_with_applied_bans(&work);
            match done {
                Err(error) if error == behind => {}
                done => return done,
            }
            let board = period_ref.leaderboard.value.id.as_str();
            let applied = self
                .write(|session| {
                    bans::apply_to_leaderboard(session, period_ref.tenant, board, period_ref.now)
                })
                .await;
            if applied.is_err() {
                break;
            }
        }
        self.read(work)
    }

    /// Does the same as [`SqliteStore::read_at`] for a read of a whole leaderboard.
    async fn read_leaderboard<T, E: From<StoreError>>(
        &self,
        (tenant, board, now): LeaderboardAt<'_>,
        work: impl Fn(&Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        for _ in 0..MAX_BAN_STEPS {
            let done = self.read(|session| {
                if bans::is_behind(session, tenant, board.as_str(), now)? {
                    return Ok(None);
                }
                work(session).map(Some)
            })?;
            if let Some(done) = done {
                return Ok(done);
            }
            let applied = self
                .write(|session| bans::apply_to_leaderboard(session, tenant, board.as_str(), now))
                .await;
            if applied.is_err() {
                break;
            }
        }
        self.read(work)
    }
}

fn read_summary(cells: &mut Cells) -> Result<PeriodSummary, StoreError> {
    Ok(PeriodSummary {
        period: Period {
            id: PeriodId::parse(&cells.text("period id")?).map_err(|_| corrupt("period id"))?,
            starts_at: cells.instant_or_null("start of a period")?,
            ends_at: cells.instant_or_null("end of a period")?,
        },
        count: cells.unsigned("visible entries")?,
        version: cells.unsigned("period version")?,
    })
}
