//! Standings: what a leaderboard's configuration says about the list of a period that has ended.

use crate::Invalid;

/// The most prizes of a leaderboard. A claim compares its rank with each of them.
pub const MAX_PRIZES: usize = 20;
/// The longest name of a prize, in characters.
pub const MAX_PRIZE_NAME_CHARS: usize = 64;
/// The most days in which a prize can be claimed.
pub const MAX_CLAIM_DAYS: u16 = 365;
/// For how many days a prize can be claimed if the configuration does not say.
pub const DEFAULT_CLAIM_DAYS: u16 = 30;
/// How long after its end a period can be frozen at the earliest, in milliseconds. So scores of the last moments still count that wait
/// in the queue, whose attempts take about a minute, and the clocks of instances may differ.
pub const FREEZE_DELAY_MS: i64 = 120_000;
/// The largest percentage.
pub(crate) const ALL_PERCENT: u8 = 100;

/// What a score does that belongs to a period with final standings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LateScores {
    /// The score is refused.
    #[default]
    Refuse,
    /// The score is accepted. If it changes an entry, the standings are no longer final, and the next request for them freezes
    /// them again. Standings that became final with prizes stay final, and the score is refused.
    Reopen,
}

/// The ranks that a prize is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrizeRange {
    /// The ranks from `from` to `to`, both included. The first rank is 1.
    Ranks {
        /// The best rank.
        from: u32,
        /// The worst rank.
        to: u32,
    },
    /// The best percentage of the entries that the standings had when they became final, 1 to 100. A fraction of an entry counts
    /// as one, so that the best entry always has the prize. Players who share the rank of the last of them have it too.
    TopPercent(u8),
}

/// A prize of a leaderboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prize {
    /// The name; 1 to [`MAX_PRIZE_NAME_CHARS`] characters.
    pub name: String,
    /// The ranks that the prize is for.
    pub range: PrizeRange,
}

/// What happens at the end of a period: late scores, and prizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingsPolicy {
    /// What a score does that belongs to a period with final standings.
    pub late_scores: LateScores,
    /// The prizes; at most [`MAX_PRIZES`]. A rank gets the first prize whose range contains it.
    pub prizes: Vec<Prize>,
    /// For how many days after the standings became final a prize can be claimed, 1 to [`MAX_CLAIM_DAYS`].
    pub claim_days: u16,
}

impl Default for StandingsPolicy {
    fn default() -> Self {
        Self {
            late_scores: LateScores::default(),
            prizes: Vec::new(),
            claim_days: DEFAULT_CLAIM_DAYS,
        }
    }
}

impl StandingsPolicy {
    /// Returns every broken rule. A rule between two fields is reported at both.
    #[must_use]
    pub fn find_faults(&self) -> Vec<Invalid> {
        let mut faults = Vec::new();
        if self.claim_days == 0 || self.claim_days > MAX_CLAIM_DAYS {
            faults.push(Invalid::new(
                "/claim_days",
                format!("must be 1 to {MAX_CLAIM_DAYS}"),
            ));
        }
        if self.prizes.len() > MAX_PRIZES {
            faults.push(Invalid::new(
                "/prizes",
                format!("must be at most {MAX_PRIZES} prizes"),
            ));
        }
        if self.late_scores == LateScores::Reopen && !self.prizes.is_empty() {
            let why = "a period that is reopened could give a prize twice";
            faults.push(Invalid::new(
                "/late_scores",
                format!("must be refuse if there are prizes: {why}"),
            ));
            faults.push(Invalid::new(
                "/prizes",
                format!("must be empty if late_scores is reopen: {why}"),
            ));
        }
        for (at, prize) in self.prizes.iter().enumerate() {
            let prize_faults = find_prize_faults(prize).into_iter();
            faults.extend(prize_faults.map(|fault| fault.within(&format!("/prizes/{at}"))));
        }
        faults
    }
}

fn find_prize_faults(prize: &Prize) -> Vec<Invalid> {
    let mut faults = Vec::new();
    let chars = prize.name.chars().count();
    if chars == 0 || chars > MAX_PRIZE_NAME_CHARS {
        faults.push(Invalid::new(
            "/name",
            format!("must be 1 to {MAX_PRIZE_NAME_CHARS} characters"),
        ));
    }
    if prize.name.chars().any(char::is_control) {
        faults.push(Invalid::new("/name", "must not contain control characters"));
    }
    match prize.range {
        PrizeRange::Ranks { from: 0, .. } => {
            faults.push(Invalid::new("/from_rank", "must be at least 1"));
        }
        PrizeRange::Ranks { from, to } if from > to => {
            faults.push(Invalid::new(
                "/from_rank",
                format!("must not be above to_rank, which is {to}"),
            ));
            faults.push(Invalid::new(
                "/to_rank",
                format!("must not be below from_rank, which is {from}"),
            ));
        }
        PrizeRange::Ranks { .. } => {}
        PrizeRange::TopPercent(percent) => {
            if percent == 0 || percent > ALL_PERCENT {
                faults.push(Invalid::new(
                    "/top_percent",
                    format!("must be 1 to {ALL_PERCENT}"),
                ));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(prizes: &[(&str, PrizeRange)]) -> StandingsPolicy {
        let prize = |(name, range): &(&str, PrizeRange)| Prize {
            name: (*name).into(),
            range: *range,
        };
        StandingsPolicy {
            prizes: prizes.iter().map(prize).collect(),
            ..StandingsPolicy::default()
        }
    }

    #[test]
    fn each_fault_names_its_field() {
        let pointers = |policy: &StandingsPolicy| -> Vec<String> {
            policy
                .find_faults()
                .into_iter()
                .map(|fault| fault.pointer)
                .collect()
        };
        let ranks = |from, to| PrizeRange::Ranks { from, to };
        assert_eq!(
            pointers(&policy(&[("a", ranks(1, 1)), ("b", PrizeRange::TopPercent(100))])),
            [""; 0]
        );
        assert_eq!(
            pointers(&policy(&[
                ("", ranks(0, 1)),
                ("b", ranks(3, 2)),
                ("\n", PrizeRange::TopPercent(101))
            ])),
            [
                "/prizes/0/name",
                "/prizes/0/from_rank",
                "/prizes/1/from_rank",
                "/prizes/1/to_rank",
                "/prizes/2/name",
                "/prizes/2/top_percent"
            ]
        );
        let reopens = StandingsPolicy {
            late_scores: LateScores::Reopen,
            claim_days: 366,
            ..policy(&[("a", ranks(1, 1))])
        };
        assert_eq!(pointers(&reopens), ["/claim_days", "/late_scores", "/prizes"]);
        let many = policy(&[("a", ranks(1, 1)); MAX_PRIZES + 1]);
        assert_eq!(pointers(&many), ["/prizes"]);
    }
}
