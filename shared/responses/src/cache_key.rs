//! What is request, and what the answer is called.

use std::fmt::Write;

use leaderboard_core::usecase::{DEFAULT_BUCKETS, DistributionQuery, ListQuery};
use leaderboard_core::{LeaderboardId, PeriodSelector, PlayerId, TenantId, Timestamp, WarmView};

use leaderboard_api::ApiVersion;
use leaderboard_api::IntegerFormat;
use leaderboard_api::wire::cursor;

/// The limits of first pages that have places of their own: the default, and the longest list.
const OWN_LIMITS: [u32; 2] = [10, 100];
/// How many places there are of their own: for those first pages, and the default distribution, in two versions.
const OWN_SLOTS: u64 = 6;
/// How many answers about a leaderboard, from the top and of all its scores, a region keeps beside them.
const SHARED_SLOTS: u64 = 64;
/// How many further ones: about one player, or deep in the list.
const DEEP_SLOTS: u64 = 192;
/// How many answers about a leaderboard a region keeps.
pub(crate) const SLOTS: u64 = OWN_SLOTS + SHARED_SLOTS + DEEP_SLOTS;

/// A key whose answer may be used again.
#[derive(Debug, Clone)]
pub struct CacheKey {
    /// Whose leaderboard.
    pub tenant: TenantId,
    /// Which.
    pub leaderboard: LeaderboardId,
    /// What is request of it.
    pub read: CachedRead,
    /// The version of the API that the answer is written in.
    pub version: ApiVersion,
    /// How the answer writes 64-bit integers.
    pub integers: IntegerFormat,
}

/// What is request of a leaderboard.
#[derive(Debug, Clone)]
pub enum CachedRead {
    /// A page of the list.
    List(ListQuery),
    /// One player's entry.
    Entry(PlayerId, PeriodSelector),
    /// The window around a player, of so many entries.
    Around(PlayerId, PeriodSelector, u32),
    /// How scores are spread.
    Distribution(DistributionQuery),
    /// What its readers may know of the leaderboard itself.
    Leaderboard,
    /// So many of the periods that have entries: those that start before an instant, or the newest.
    Periods(Option<Timestamp>, u32),
}

impl CacheKey {
    /// The key behind a warm entry.
    pub fn warm(
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        entry: WarmView,
        version: ApiVersion,
    ) -> Self {
        let period = PeriodSelector::Current;
        Self {
            tenant: tenant.clone(),
            leaderboard: leaderboard.clone(),
            read: match entry {
                WarmView::List { limit } => CachedRead::List(ListQuery {
                    period,
                    cursor: None,
                    limit: limit.into(),
                }),
                WarmView::Distribution { buckets } => CachedRead::Distribution(DistributionQuery {
                    period,
                    buckets: buckets.into(),
                    score: None,
                }),
            },
            version,
            integers: IntegerFormat::default(),
        }
    }

    /// The answer's name: another key, tenant or version has another one. It begins with
    /// `tenant:leaderboard:`, which [`place_of`] cuts out.
    pub fn name(&self) -> String {
        let mut name = String::with_capacity(96);
        // Writing to a string cannot fail.
        let _ = self.write_name(&mut name);
        name
    }

    fn write_name(&self, name: &mut String) -> std::fmt::Result {
        write!(
            name,
            "{}:{}:{}",
            self.tenant,
            self.leaderboard,
            self.version.number()
        )?;
        if self.integers == IntegerFormat::String {
            name.write_str("-strings")?;
        }
        let period = match &self.read {
            CachedRead::List(query) => {
                write!(name, ":list:{}", query.limit)?;
                if let Some(cursor) = &query.cursor {
                    write!(name, ":{}", cursor::encode(&cursor.encode()))?;
                }
                &query.period
            }
            CachedRead::Distribution(query) => {
                write!(name, ":distribution:{}", query.buckets)?;
                if let Some(score) = query.score {
                    write!(name, ":{score}")?;
                }
                &query.period
            }
            CachedRead::Entry(player, period) => {
                write!(name, ":entry:{player}")?;
                period
            }
            CachedRead::Around(player, period, limit) => {
                write!(name, ":around:{limit}:{player}")?;
                period
            }
            CachedRead::Leaderboard => {
                name.write_str(":leaderboard")?;
                &PeriodSelector::Current
            }
            CachedRead::Periods(before, limit) => {
                write!(name, ":periods:{limit}")?;
                if let Some(before) = before {
                    write!(name, ":{}", before.as_unix_ms())?;
                }
                &PeriodSelector::Current
            }
        };
        // A player's name may hold anything, so what follows it must not be mistaken for a part of it.
        match period {
            PeriodSelector::Current => name.write_str("\n"),
            PeriodSelector::Previous => name.write_str("\nprevious"),
            PeriodSelector::Named(id) => write!(name, "\n{id}"),
            PeriodSelector::On(date) => write!(name, "\n{date}"),
        }
    }

    /// The player it is about, if it is about one.
    pub fn player(&self) -> Option<&PlayerId> {
        match &self.read {
            CachedRead::Entry(player, _) | CachedRead::Around(player, ..) => Some(player),
            CachedRead::List(_)
            | CachedRead::Distribution(_)
            | CachedRead::Leaderboard
            | CachedRead::Periods(..) => None,
        }
    }

    /// Which period it is about. What is about none changes with the current one.
    pub fn period(&self) -> &PeriodSelector {
        match &self.read {
            CachedRead::List(query) => &query.period,
            CachedRead::Distribution(query) => &query.period,
            CachedRead::Entry(_, period) | CachedRead::Around(_, period, _) => period,
            CachedRead::Leaderboard | CachedRead::Periods(..) => &PeriodSelector::Current,
        }
    }

    /// Whether it names a period by an id, an instant or a day, so that only the leaderboard's configuration tells which it is.
    pub fn names_a_period(&self) -> bool {
        matches!(self.period(), PeriodSelector::Named(_) | PeriodSelector::On(_))
    }

    /// The same key about a period by another name.
    pub fn about(mut self, selector: PeriodSelector) -> Self {
        match &mut self.read {
            CachedRead::List(query) => query.period = selector,
            CachedRead::Distribution(query) => query.period = selector,
            CachedRead::Entry(_, period) | CachedRead::Around(_, period, _) => *period = selector,
            CachedRead::Leaderboard | CachedRead::Periods(..) => {}
        }
        self
    }

    /// Whether many ask it: the first page, or the distribution.
    pub fn is_common(&self) -> bool {
        match &self.read {
            CachedRead::List(query) => query.cursor.is_none(),
            CachedRead::Distribution(query) => query.score.is_none(),
            CachedRead::Periods(before, _) => before.is_none(),
            CachedRead::Leaderboard => true,
            CachedRead::Entry(..) | CachedRead::Around(..) => false,
        }
    }

    /// Whether all callers are given the same answer at its address. An administrator is told more of a leaderboard, and a
    /// shared cache may not look at who asks.
    pub fn is_the_same_for_all(&self) -> bool {
        !matches!(self.read, CachedRead::Leaderboard)
    }

    /// Where the region may keep its answer, two places. Other answers may stand there: an answer knows its name.
    pub fn places(&self, name: &str) -> [u64; 2] {
        if let Some(own) = self.own_place() {
            return [own, own];
        }
        let hash = fnv(name.as_bytes());
        let (first, slots) = if self.is_common() {
            (OWN_SLOTS, SHARED_SLOTS)
        } else {
            (OWN_SLOTS + SHARED_SLOTS, DEEP_SLOTS)
        };
        [hash, hash >> 32].map(|hash| first + hash % slots)
    }

    /// As [`CacheKey::places`], each once.
    pub fn slots(&self, name: &str) -> impl Iterator<Item = u64> + use<> {
        let [first, second] = self.places(name);
        [Some(first), (second != first).then_some(second)]
            .into_iter()
            .flatten()
    }

    /// The place of an answer that is request for most, which it shares with no other.
    pub fn own_place(&self) -> Option<u64> {
        if self.integers != IntegerFormat::default() {
            return None;
        }
        let kind = match &self.read {
            CachedRead::List(query) if query.cursor.is_none() && query.period == PeriodSelector::Current => {
                OWN_LIMITS.iter().position(|limit| *limit == query.limit)?
            }
            CachedRead::Distribution(query)
                if query.score.is_none()
                    && query.buckets == DEFAULT_BUCKETS
                    && query.period == PeriodSelector::Current =>
            {
                OWN_LIMITS.len()
            }
            _ => return None,
        };
        let version = match self.version {
            ApiVersion::V1 => 0,
            ApiVersion::V2 => 1,
        };
        u64::try_from(2 * kind + version).ok()
    }
}

/// `tenant:leaderboard` of an answer's name.
pub(crate) fn place_of(name: &str) -> &str {
    let mut colons = name.match_indices(':').map(|(at, _)| at);
    colons.nth(1).and_then(|end| name.get(..end)).unwrap_or(name)
}

/// FNV-1a. It only spreads names over slots: nobody gains by a collision but a miss.
pub(crate) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(read: CachedRead) -> CacheKey {
        CacheKey {
            tenant: TenantId::new("acme").unwrap(),
            leaderboard: LeaderboardId::new("goals").unwrap(),
            read,
            version: ApiVersion::V1,
            integers: IntegerFormat::default(),
        }
    }

    fn list(limit: u32, period: PeriodSelector) -> CacheKey {
        key(CachedRead::List(ListQuery {
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
            key(CachedRead::Entry(player("a"), current())),
            key(CachedRead::Entry(player("a:around:11"), current())),
            key(CachedRead::Around(player("a"), current(), 11)),
            key(CachedRead::Around(player("1:a"), current(), 1)),
            key(CachedRead::Distribution(DistributionQuery {
                period: current(),
                buckets: 20,
                score: None,
            })),
            key(CachedRead::Leaderboard),
            key(CachedRead::Periods(None, 10)),
            key(CachedRead::Periods(None, 11)),
            key(CachedRead::Periods(Some(Timestamp::MIN), 10)),
            CacheKey {
                version: ApiVersion::V2,
                ..list(10, current())
            },
            CacheKey {
                tenant: TenantId::new("other").unwrap(),
                ..list(10, current())
            },
            CacheKey {
                integers: IntegerFormat::String,
                ..list(10, current())
            },
        ];
        let names: std::collections::BTreeSet<String> = all.iter().map(CacheKey::name).collect();
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
        let in_range = |key: &CacheKey, range: std::ops::Range<u64>| {
            let name = key.name();
            key.slots(&name).all(|slot| range.contains(&slot))
        };
        let common = OWN_SLOTS + SHARED_SLOTS;
        for limit in (1..500).filter(|limit| !OWN_LIMITS.contains(limit)) {
            assert!(in_range(&list(limit, PeriodSelector::Current), OWN_SLOTS..common));
            let one = key(CachedRead::Entry(
                PlayerId::new(limit.to_string()).unwrap(),
                PeriodSelector::Current,
            ));
            assert!(in_range(&one, common..SLOTS));
        }
        let mut own = std::collections::BTreeSet::new();
        for version in ApiVersion::ALL {
            let spread = key(CachedRead::Distribution(DistributionQuery {
                period: PeriodSelector::Current,
                buckets: DEFAULT_BUCKETS,
                score: None,
            }));
            let lists = OWN_LIMITS.map(|limit| list(limit, PeriodSelector::Current));
            for key in lists.into_iter().chain([spread]) {
                let key = CacheKey { version, ..key };
                assert!(in_range(&key, 0..OWN_SLOTS));
                own.extend(key.slots(&key.name()));
            }
        }
        assert_eq!(own.len() as u64, OWN_SLOTS);
        let previous = list(10, PeriodSelector::Previous);
        assert!(in_range(&previous, OWN_SLOTS..common));
    }
}
