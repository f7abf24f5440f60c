//! The names of leaderboards' columns.

use std::collections::BTreeMap;
use std::rc::Rc;

use leaderboard_core::{Columns, Leaderboard, LeaderboardId, Versioned};

/// The columns of some leaderboards.
#[derive(Debug, Default)]
pub struct Names {
    known: BTreeMap<LeaderboardId, Rc<Versioned<Leaderboard>>>,
    /// Stands for the columns of a leaderboard that was deleted in the meantime.
    unknown: Columns,
}

impl Names {
    /// Returns whether a leaderboard's columns are known.
    pub fn has(&self, id: &LeaderboardId) -> bool {
        self.known.contains_key(id)
    }

    /// Adds a leaderboard's columns.
    pub fn learn(&mut self, board: Rc<Versioned<Leaderboard>>) {
        self.known.insert(board.value.id.clone(), board);
    }

    /// Returns the columns of a leaderboard.
    pub fn of(&self, id: &LeaderboardId) -> &Columns {
        self.known
            .get(id)
            .map_or(&self.unknown, |board| &board.value.columns)
    }
}
