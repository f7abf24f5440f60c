//! The prizes of final standings, as they were when the standings became final.

use crate::codec::Malformed;
use crate::standings::{ALL_PERCENT, PrizeRange, StandingsPolicy};
use crate::{Ties, Timestamp};

/// The length of a day, in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A prize, and the ranks that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankedPrize {
    /// The name.
    pub name: String,
    /// The best rank.
    pub from: u64,
    /// The worst rank; less than `from` if no rank has the prize.
    pub to: u64,
}

/// The prizes of a period. A later change of the leaderboard's configuration does not change them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrizeTable {
    /// For how many days after the standings became final a prize can be claimed.
    pub claim_days: u16,
    /// The prizes. A rank gets the first prize whose ranks contain it.
    pub prizes: Vec<RankedPrize>,
}

impl PrizeTable {
    /// Makes the table of standings with `count` entries. A percentage becomes the ranks of so many entries: with dense ranks, `rank_at`
    /// returns the rank of the entry at a position in the list, from 1 to `count`.
    ///
    /// # Errors
    /// Those of `rank_at`.
    pub fn of_policy<E>(
        policy: &StandingsPolicy,
        ties: Ties,
        count: u64,
        mut rank_at: impl FnMut(u64) -> Result<u64, E>,
    ) -> Result<Self, E> {
        let mut prizes = Vec::with_capacity(policy.prizes.len());
        for prize in &policy.prizes {
            let (from, to) = match prize.range {
                PrizeRange::Ranks { from, to } => (from.into(), to.into()),
                PrizeRange::TopPercent(percent) => {
                    let players = count.saturating_mul(percent.into()).div_ceil(ALL_PERCENT.into());
                    // Many players can share each dense rank, so the number of players is not the rank of the last one.
                    let is_rank = ties != Ties::Dense || players == 0;
                    (1, if is_rank { players } else { rank_at(players)? })
                }
            };
            let name = prize.name.clone();
            prizes.push(RankedPrize { name, from, to });
        }
        Ok(Self {
            claim_days: policy.claim_days,
            prizes,
        })
    }

    /// Returns the prize of a rank.
    #[must_use]
    pub fn find_prize(&self, rank: u64) -> Option<&RankedPrize> {
        self.prizes
            .iter()
            .find(|prize| (prize.from..=prize.to).contains(&rank))
    }

    /// Returns the worst rank that has a prize; 0 if there is no prize.
    #[must_use]
    pub fn last_rank(&self) -> u64 {
        self.prizes.iter().map(|prize| prize.to).max().unwrap_or(0)
    }

    /// Returns the first instant at which a prize can no longer be claimed.
    #[must_use]
    pub fn claims_expire_at(&self, frozen_at: Timestamp) -> Timestamp {
        frozen_at.saturating_add_ms(i64::from(self.claim_days).saturating_mul(DAY_MS))
    }

    /// Returns whether late scores can reopen standings with this table: not if they have prizes, which players could claim twice.
    /// `None` is the table of an earlier version of Edgeboard.
    #[must_use]
    pub fn can_be_reopened(table: Option<&Self>) -> bool {
        table.is_none_or(|table| table.prizes.is_empty())
    }

    /// Returns the table as text: a line with the days, then a line for each prize with its ranks and its name, which has no line break.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = self.claim_days.to_string();
        for RankedPrize { name, from, to } in &self.prizes {
            text.push_str(&format!("\n{from} {to} {name}"));
        }
        text
    }

    /// Reads the text of [`Self::encode`].
    ///
    /// # Errors
    /// [`Malformed`] for other text.
    pub fn decode(text: &str) -> Result<Self, Malformed> {
        let malformed = Malformed("prizes of final standings");
        let mut lines = text.split('\n');
        let claim_days = lines.next().and_then(|days| days.parse().ok()).ok_or(malformed)?;
        let prizes = lines.map(|line| {
            let mut parts = line.splitn(3, ' ');
            Some(RankedPrize {
                from: parts.next()?.parse().ok()?,
                to: parts.next()?.parse().ok()?,
                name: parts.next()?.to_owned(),
            })
        });
        let prizes: Option<_> = prizes.collect();
        Ok(Self {
            claim_days,
            prizes: prizes.ok_or(Malformed("prizes of final standings"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Prize;

    fn table(ties: Ties, prizes: &[(&str, PrizeRange)], count: u64) -> PrizeTable {
        let prize = |(name, range): &(&str, PrizeRange)| Prize {
            name: (*name).into(),
            range: *range,
        };
        let policy = StandingsPolicy {
            prizes: prizes.iter().map(prize).collect(),
            ..StandingsPolicy::default()
        };
        // Four entries share each rank.
        let made = PrizeTable::of_policy(&policy, ties, count, |position| Ok::<_, ()>(position.div_ceil(4)));
        made.unwrap()
    }

    fn names(table: &PrizeTable) -> Vec<Option<&str>> {
        (1..=6)
            .map(|rank| table.find_prize(rank).map(|prize| prize.name.as_str()))
            .collect()
    }

    #[test]
    fn a_rank_gets_the_first_prize_whose_range_contains_it() {
        let ranks = |from, to| PrizeRange::Ranks { from, to };
        let prizes = [
            ("gold", ranks(1, 1)),
            ("silver", ranks(1, 3)),
            ("late", ranks(5, 5)),
        ];
        let table = table(Ties::Earliest, &prizes, 100);
        let (silver, late) = (Some("silver"), Some("late"));
        assert_eq!(names(&table), [Some("gold"), silver, silver, None, late, None]);
        assert_eq!(table.last_rank(), 5);
    }

    #[test]
    fn a_percentage_counts_players_and_is_rounded_up() {
        let chest = [("chest", PrizeRange::TopPercent(10))];
        let last_rank = |ties, count| table(ties, &chest, count).last_rank();
        for (count, players) in [(0, 0), (1, 1), (10, 1), (11, 2), (100, 10)] {
            assert_eq!(last_rank(Ties::Shared, count), players);
        }
        assert_eq!(names(&table(Ties::Earliest, &chest, 0)), [None; 6]);
        for (count, rank) in [(0, 0), (40, 1), (41, 2), (100, 3)] {
            assert_eq!(last_rank(Ties::Dense, count), rank);
        }
    }

    #[test]
    fn a_table_survives_its_encoding() {
        let prizes = [
            ("Cup of 1 é", PrizeRange::Ranks { from: 1, to: 2 }),
            ("chest", PrizeRange::TopPercent(10)),
        ];
        for table in [table(Ties::Earliest, &prizes, 30), table(Ties::Earliest, &[], 30)] {
            assert_eq!(PrizeTable::decode(&table.encode()), Ok(table));
        }
        for text in ["", "x", "30\n", "30\n1 2", "30\n1 x cup"] {
            assert!(PrizeTable::decode(text).is_err(), "{text:?}");
        }
    }
}
