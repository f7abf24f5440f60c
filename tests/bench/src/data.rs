//! The size and the names of the data of a server: tenants, leaderboards and players.

use serde::{Deserialize, Serialize};

/// The number of digits in the names of tenants and leaderboards, whose numbers go up to 999.
const NAME_DIGITS: usize = 3;
/// The factor from a number to a player's number. It is a prime number, so that consecutive numbers give all
/// players, but not in order.
const STEP: u64 = 7_919;

/// The size of the data. Each of the tenants has all of the leaderboards, and each leaderboard has all of the
/// players.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Data {
    /// Each leaderboard has 10^`digits` entries.
    pub(crate) digits: u32,
    /// 1 or 1,000.
    pub(crate) leaderboards: u32,
    /// 1 or 1,000.
    pub(crate) tenants: u32,
}

impl Data {
    /// Returns the size of one tenant with one leaderboard of 10^`digits` entries.
    pub(crate) fn single(digits: u32) -> Self {
        Self {
            digits,
            leaderboards: 1,
            tenants: 1,
        }
    }

    /// Returns the number of entries of each leaderboard.
    pub(crate) fn entries_each(self) -> u64 {
        10_u64.pow(self.digits)
    }

    /// Returns the number of entries of all leaderboards of all tenants.
    pub(crate) fn total_entries(self) -> u64 {
        self.entries_each() * u64::from(self.leaderboards) * u64::from(self.tenants)
    }

    /// Returns the player of a number. The numbers from 0 up to the number of entries, excluded, give all
    /// players.
    pub(crate) fn player(self, number: u64) -> String {
        let number = number.wrapping_mul(STEP) % self.entries_each();
        format!("player-{number:0width$}", width = self.digits as usize)
    }

    /// Returns a regular expression for the players.
    pub(crate) fn player_pattern(self) -> String {
        format!("player-[0-9]{{{}}}", self.digits)
    }

    /// Returns a regular expression for the leaderboards.
    pub(crate) fn leaderboard_pattern(self) -> String {
        name_pattern("board", self.leaderboards)
    }

    /// Returns a regular expression for the tenants; `None` if there is only one tenant, which requests need
    /// not name.
    pub(crate) fn tenant_pattern(self) -> Option<String> {
        (self.tenants > 1).then(|| name_pattern("tenant", self.tenants))
    }
}

/// Returns the name of a leaderboard.
pub(crate) fn leaderboard(number: u32) -> String {
    format!("board-{number:0NAME_DIGITS$}")
}

/// Returns the name of a tenant. The only tenant has the default name, so that requests need not name it.
pub(crate) fn tenant(data: Data, number: u32) -> String {
    if data.tenants == 1 {
        "default".into()
    } else {
        format!("tenant-{number:0NAME_DIGITS$}")
    }
}

/// Returns a regular expression for `count` numbered names. A single name is its own pattern.
fn name_pattern(name: &str, count: u32) -> String {
    if count == 1 {
        format!("{name}-{:0NAME_DIGITS$}", 0)
    } else {
        format!("{name}-[0-9]{{{NAME_DIGITS}}}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn consecutive_numbers_give_all_players() {
        let data = Data::single(3);
        let players: BTreeSet<String> = (0..1000).map(|number| data.player(number)).collect();
        assert_eq!(players.len(), 1000);
        assert!(players.contains("player-000") && players.contains("player-999"));
    }

    #[test]
    fn a_single_leaderboard_has_its_name_as_pattern() {
        let mut data = Data::single(3);
        assert_eq!(data.leaderboard_pattern(), leaderboard(0));
        assert_eq!(data.tenant_pattern(), None);
        data.leaderboards = 1000;
        assert_eq!(data.leaderboard_pattern(), "board-[0-9]{3}");
    }
}
