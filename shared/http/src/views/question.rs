//! What is asked, and what the answer is called.

use std::fmt::Write;

use leaderboard_core::usecase::{DistributionQuery, ListQuery};
use leaderboard_core::{LeaderboardId, PeriodSelector, PlayerId, TenantId, WarmView};

use crate::pipeline::MediaType;
use crate::version::ApiVersion;
use crate::wire::cursor;

/// How many answers about a leaderboard, from the top and of all its scores, a region keeps.
const SHARED_SLOTS: u64 = 64;
/// How many further ones: about one player, or deep in the list.
const DEEP_SLOTS: u64 = 192;
/// How many answers about a leaderboard a region keeps.
pub(super) const SLOTS: u64 = SHARED_SLOTS + DEEP_SLOTS;

/// A question whose answer may be used again.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// Whose leaderboard.
    pub(crate) tenant: TenantId,
    /// Which.
    pub(crate) leaderboard: LeaderboardId,
    /// What is asked of it.
    pub(crate) subject: Subject,
    /// The version of the API that the answer is written in.
    pub(crate) version: ApiVersion,
    /// The name that the document is sent under.
    pub(crate) media: MediaType,
}

/// What is asked of a leaderboard.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    /// A page of the list.
    List(ListQuery),
    /// One player's entry.
    Entry(PlayerId, PeriodSelector),
    /// The window around a player, of so many entries.
    Around(PlayerId, PeriodSelector, u32),
    /// How scores are spread.
    Distribution(DistributionQuery),
}

impl Question {
    /// The question behind a warm view.
    pub(super) fn warm(tenant: &TenantId, leaderboard: &LeaderboardId, view: WarmView) -> Self {
        let period = PeriodSelector::Current;
        Self {
            tenant: tenant.clone(),
            leaderboard: leaderboard.clone(),
            subject: match view {
                WarmView::List { limit } => Subject::List(ListQuery {
                    period,
                    cursor: None,
                    limit: limit.into(),
                }),
                WarmView::Distribution { buckets } => Subject::Distribution(DistributionQuery {
                    period,
                    buckets: buckets.into(),
                    score: None,
                }),
            },
            version: ApiVersion::V1,
            media: MediaType::Json,
        }
    }

    /// The answer's name: another question, tenant or representation has another one. It begins with
    /// `tenant:leaderboard:`, which [`place_of`] cuts out.
    pub(super) fn name(&self) -> String {
        let mut name = String::with_capacity(96);
        // Writing to a string cannot fail.
        let _ = self.write_name(&mut name);
        name
    }

    fn write_name(&self, name: &mut String) -> std::fmt::Result {
        let (version, media) = (self.version.number(), self.media.as_str());
        write!(name, "{}:{}:{version}:{media}", self.tenant, self.leaderboard)?;
        let period = match &self.subject {
            Subject::List(query) => {
                write!(name, ":list:{}", query.limit)?;
                if let Some(cursor) = &query.cursor {
                    write!(name, ":{}", cursor::encode(&cursor.encode()))?;
                }
                &query.period
            }
            Subject::Distribution(query) => {
                write!(name, ":distribution:{}", query.buckets)?;
                if let Some(score) = query.score {
                    write!(name, ":{score}")?;
                }
                &query.period
            }
            Subject::Entry(player, period) => {
                write!(name, ":entry:{player}")?;
                period
            }
            Subject::Around(player, period, limit) => {
                write!(name, ":around:{limit}:{player}")?;
                period
            }
        };
        // A player's name may hold anything, so what follows it must not be mistaken for a part of it.
        match period {
            PeriodSelector::Current => name.write_str("\n"),
            PeriodSelector::Previous => name.write_str("\nprevious"),
            PeriodSelector::Named(id) => write!(name, "\n{id}"),
        }
    }

    /// The player it is about, if it is about one.
    pub(super) fn player(&self) -> Option<&PlayerId> {
        match &self.subject {
            Subject::Entry(player, _) | Subject::Around(player, ..) => Some(player),
            Subject::List(_) | Subject::Distribution(_) => None,
        }
    }

    /// Which period it is about.
    pub(super) fn period(&self) -> &PeriodSelector {
        match &self.subject {
            Subject::List(query) => &query.period,
            Subject::Distribution(query) => &query.period,
            Subject::Entry(_, period) | Subject::Around(_, period, _) => period,
        }
    }

    /// Whether many ask it: the first page, or the distribution.
    pub(super) fn is_common(&self) -> bool {
        match &self.subject {
            Subject::List(query) => query.cursor.is_none(),
            Subject::Distribution(query) => query.score.is_none(),
            Subject::Entry(..) | Subject::Around(..) => false,
        }
    }

    /// Where the region keeps its answer. Another answer may stand there: an answer knows its name.
    pub(super) fn slot(&self, name: &str) -> u64 {
        let hash = fnv(name.as_bytes());
        if self.is_common() {
            hash % SHARED_SLOTS
        } else {
            SHARED_SLOTS + hash % DEEP_SLOTS
        }
    }
}

/// `tenant:leaderboard` of an answer's name.
pub(super) fn place_of(name: &str) -> &str {
    let mut colons = name.match_indices(':').map(|(at, _)| at);
    colons.nth(1).and_then(|end| name.get(..end)).unwrap_or(name)
}

/// FNV-1a. It only spreads names over slots: nobody gains by a collision but a miss.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(subject: Subject) -> Question {
        Question {
            tenant: TenantId::new("acme").unwrap(),
            leaderboard: LeaderboardId::new("goals").unwrap(),
            subject,
            version: ApiVersion::V1,
            media: MediaType::Json,
        }
    }

    fn list(limit: u32, period: PeriodSelector) -> Question {
        question(Subject::List(ListQuery {
            period,
            cursor: None,
            limit,
        }))
    }

    #[test]
    fn different_questions_have_different_names() {
        let player = |name: &str| PlayerId::new(name).unwrap();
        let current = || PeriodSelector::Current;
        let all = [
            list(10, current()),
            list(11, current()),
            list(10, PeriodSelector::Previous),
            question(Subject::Entry(player("a"), current())),
            question(Subject::Entry(player("a:around:11"), current())),
            question(Subject::Around(player("a"), current(), 11)),
            question(Subject::Around(player("1:a"), current(), 1)),
            question(Subject::Distribution(DistributionQuery {
                period: current(),
                buckets: 20,
                score: None,
            })),
            Question {
                version: ApiVersion::V2,
                ..list(10, current())
            },
            Question {
                tenant: TenantId::new("other").unwrap(),
                ..list(10, current())
            },
        ];
        let names: std::collections::BTreeSet<String> = all.iter().map(Question::name).collect();
        assert_eq!(names.len(), all.len(), "{names:?}");
        assert!(
            names
                .iter()
                .all(|name| name.starts_with("acme:goals:") || name.starts_with("other:goals:"))
        );
        assert_eq!(place_of(&all[0].name()), "acme:goals");
    }

    #[test]
    fn slots_are_bounded_and_the_top_has_its_own() {
        for limit in 1..500 {
            let top = list(limit, PeriodSelector::Current);
            assert!(top.slot(&top.name()) < SHARED_SLOTS);
            let one = question(Subject::Entry(
                PlayerId::new(limit.to_string()).unwrap(),
                PeriodSelector::Current,
            ));
            assert!((SHARED_SLOTS..SLOTS).contains(&one.slot(&one.name())));
        }
    }
}
