//! The data that a server holds: tenants, leaderboards, players.

use serde::{Deserialize, Serialize};

/// The number of digits of a tenant's and a leaderboard's number, which goes up to 999.
const NAME_DIGITS: usize = 3;
/// What a sequence of numbers is multiplied with: a prime number, so that the sequence visits all players out of order.
const STEP: u64 = 7_919;

/// The size of the data. Each of the tenants has all of the leaderboards, and each leaderboard has all of the players.
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
    /// One tenant with one leaderboard of 10^`digits` entries.
    pub(crate) fn single(digits: u32) -> Self {
        Self {
            digits,
            leaderboards: 1,
            tenants: 1,
        }
    }

    pub(crate) fn entries_each(self) -> u64 {
        10_u64.pow(self.digits)
    }

    pub(crate) fn total_entries(self) -> u64 {
        self.entries_each() * u64::from(self.leaderboards) * u64::from(self.tenants)
    }

    /// Returns the player of a number. Numbers from 0 to the number of entries give all players.
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
        pattern("board", self.leaderboards)
    }

    /// Returns a regular expression for the tenants; `None` for the one tenant that need not be named.
    pub(crate) fn tenant_pattern(self) -> Option<String> {
        (self.tenants > 1).then(|| pattern("tenant", self.tenants))
    }
}

/// Returns the name of a leaderboard.
pub(crate) fn leaderboard(number: u32) -> String {
    format!("board-{number:0NAME_DIGITS$}")
}

/// Returns the tenant of a number. A request that names no tenant belongs to the only tenant.
pub(crate) fn tenant(data: Data, number: u32) -> String {
    if data.tenants == 1 {
        "default".into()
    } else {
        format!("tenant-{number:0NAME_DIGITS$}")
    }
}

fn pattern(name: &str, count: u32) -> String {
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
    fn numbers_give_all_players() {
        let data = Data::single(3);
        let players: BTreeSet<String> = (0..1000).map(|number| data.player(number)).collect();
        assert_eq!(players.len(), 1000);
        assert!(players.contains("player-000") && players.contains("player-999"));
    }

    #[test]
    fn one_name_is_no_pattern() {
        let mut data = Data::single(3);
        assert_eq!(data.leaderboard_pattern(), leaderboard(0));
        assert_eq!(data.tenant_pattern(), None);
        data.leaderboards = 1000;
        assert_eq!(data.leaderboard_pattern(), "board-[0-9]{3}");
    }
}
