//! Time travel: reads of a leaderboard as it was at an instant.

use std::rc::Rc;

use super::distribution::{Distribution, DistributionQuery, list_fractions, plan_buckets};
use super::leaderboard_memory::SharedLeaderboard;
use super::query::QueryError;
use super::ranks::{
    EntriesByPlayer, ListQuery, Listing, build_entries_by_player, check_order, find_start, listing,
};
use super::snapshots::UnsavedSnapshot;
use crate::access::Caller;
use crate::ports::PageFrom;
use crate::{Invalid, Period, PeriodSelector, PlayerId, Projection, Timestamp};

/// A leaderboard as it was at an instant.
#[derive(Debug)]
pub struct PastLeaderboard {
    pub(super) board: SharedLeaderboard,
    pub(super) at: Timestamp,
    pub(super) projection: Rc<Projection>,
    pub(super) unsaved: Option<UnsavedSnapshot>,
}

impl PastLeaderboard {
    /// Returns the snapshot that a long replay leaves for the next read of about the same instant.
    #[must_use]
    pub fn unsaved_snapshot(&self) -> Option<&UnsavedSnapshot> {
        self.unsaved.as_ref()
    }

    /// Returns a page of the list. Its cursors continue the list of the same instant.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn read_page(&self, caller: &Caller, query: &ListQuery) -> Result<Listing, QueryError> {
        let cursor = query.cursor.as_ref();
        if cursor.is_some_and(|cursor| cursor.leaderboard != self.board.value.id) {
            return Err(invalid_cursor("belongs to another leaderboard"));
        }
        if cursor.is_some_and(|cursor| cursor.at != Some(self.at)) {
            return Err(invalid_cursor("belongs to the list at another instant (`at`)"));
        }
        let period = match cursor {
            None => self.resolve_period(&query.period)?,
            Some(cursor) => self.resolve_period(&PeriodSelector::Named(cursor.period.clone()))?,
        };
        if cursor.is_some()
            && query.period != PeriodSelector::Current
            && self.resolve_period(&query.period)?.id != period.id
        {
            return Err(invalid_cursor("belongs to another period"));
        }
        let from = cursor.map_or(PageFrom::Top, find_start);
        let page = self.projection.page(&period.id, &from, query.limit, caller);
        if let Some(cursor) = cursor {
            let layout = page.layout.clone().unwrap_or_else(|| self.board.value.layout());
            check_order(cursor, &layout)?;
        }
        Ok(self.at_instant(listing(&self.board, period, page, cursor)))
    }

    /// Returns the window around a player.
    ///
    /// # Errors
    /// [`QueryError`]; [`QueryError::UnknownEntry`] if the player had no entry that the caller sees.
    pub fn read_around(
        &self,
        caller: &Caller,
        player: &PlayerId,
        selector: &PeriodSelector,
        limit: u32,
    ) -> Result<Listing, QueryError> {
        let period = self.resolve_period(selector)?;
        let page = self.projection.around(&period.id, player, limit, caller);
        let page = page.ok_or(QueryError::UnknownEntry)?;
        Ok(self.at_instant(listing(&self.board, period, page, None)))
    }

    /// Returns the entry of a player.
    ///
    /// # Errors
    /// [`QueryError`]; [`QueryError::UnknownEntry`] if the player had no entry that the caller sees.
    pub fn read_entry(
        &self,
        caller: &Caller,
        player: &PlayerId,
        selector: &PeriodSelector,
    ) -> Result<EntriesByPlayer, QueryError> {
        let period = self.resolve_period(selector)?;
        let players = std::slice::from_ref(player);
        let found = self.projection.entries_by_player(&period.id, players, caller);
        if found.entries.is_empty() {
            return Err(QueryError::UnknownEntry);
        }
        Ok(build_entries_by_player(&self.board, period, found))
    }

    /// Returns the distribution of the first column.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn read_distribution(&self, query: &DistributionQuery) -> Result<Distribution, QueryError> {
        let period = self.resolve_period(&query.period)?;
        let sample = self.projection.sample(&period.id, &list_fractions());
        let plan = plan_buckets(&self.board, &sample, query);
        let found = self.projection.positions(&period.id, &plan.tuples);
        Ok(plan.build_distribution(&self.board, period, &sample, &found))
    }

    /// Returns the period that a selector named at the instant, by the configuration of that time.
    fn resolve_period(&self, selector: &PeriodSelector) -> Result<Period, QueryError> {
        let board = self.projection.leaderboard().ok_or(QueryError::UnknownPeriod)?;
        let unrecorded = selector.find_unrecorded_id(board);
        if let Some(known) = unrecorded.and_then(|id| self.projection.period(&id)) {
            return Ok(known.clone());
        }
        let period = selector
            .resolve(board, self.at)
            .ok_or(QueryError::UnknownPeriod)?;
        if board.schedule.has_expired(&period, board.keep_periods, self.at) {
            return Err(QueryError::UnknownPeriod);
        }
        Ok(period)
    }

    /// Adds the instant to the cursors.
    fn at_instant(&self, mut listing: Listing) -> Listing {
        for cursor in [&mut listing.next, &mut listing.previous].into_iter().flatten() {
            cursor.at = Some(self.at);
        }
        listing
    }
}

fn invalid_cursor(detail: &str) -> QueryError {
    QueryError::Invalid(Invalid::new("cursor", detail))
}
