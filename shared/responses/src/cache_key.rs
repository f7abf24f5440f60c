//! The cache key, which identifies a cached response, and the slots in which the key-value tier may store the response.

use std::fmt::Write;

use leaderboard_core::ports::{ShardNumber, Shards};
use leaderboard_core::usecase::{DEFAULT_BUCKETS, DistributionQuery, ListQuery};
use leaderboard_core::{LeaderboardId, PeriodSelector, PlayerId, TenantId, Timestamp, WarmResponse};

use crate::ResponseEnvironment;
use leaderboard_api::wire::cursor;
use leaderboard_api::{ApiVersion, IntegerFormat};
use leaderboard_cache::hash_fnv;

/// The values of `limit` whose first pages have their own slots: the default and the largest.
const OWN_LIMITS: [u32; 2] = [10, 100];
/// How many slots are for one key each: the first pages of [`OWN_LIMITS`] and the default distribution, in two versions of the
/// API.
const OWN_SLOTS: u64 = 6;
/// How many slots a leaderboard has for other first pages and distributions.
const SHARED_SLOTS: u64 = 64;
/// How many slots a leaderboard has for single players and for later pages.
const DEEP_SLOTS: u64 = 192;
/// How many slots a leaderboard has in the key-value tier in total.
pub(crate) const SLOTS: u64 = OWN_SLOTS + SHARED_SLOTS + DEEP_SLOTS;

/// What identifies a cached response.
#[derive(Debug, Clone)]
pub(crate) struct CacheKey {
    /// The leaderboard's tenant.
    pub tenant: TenantId,
    /// The leaderboard.
    pub leaderboard: LeaderboardId,
    /// The read of the leaderboard.
    pub read: CachedRead,
    /// The version of the API in which the body is written.
    pub version: ApiVersion,
    /// How the body writes 64-bit integers.
    pub integers: IntegerFormat,
}

/// A read of a leaderboard whose response may be cached.
#[derive(Debug, Clone)]
pub enum CachedRead {
    /// A page of the list.
    List(ListQuery),
    /// One player's entry.
    Entry(PlayerId, PeriodSelector),
    /// The window around a player: the player, the period, and the number of entries.
    Around(PlayerId, PeriodSelector, u32),
    /// The distribution of scores.
    Distribution(DistributionQuery),
    /// The part of the leaderboard's configuration that its readers may see.
    Leaderboard,
    /// The newest periods that have entries. The first value selects periods that start before an instant, if it is set; the
    /// second is the maximum number of periods.
    Periods(Option<Timestamp>, u32),
}

impl CachedRead {
    /// Returns whether the read is about entries. The others are about the configuration and the list of periods.
    pub(crate) const fn is_about_entries(&self) -> bool {
        !matches!(self, Self::Leaderboard | Self::Periods(..))
    }
}

impl CacheKey {
    /// Returns on which shard the tenant lives, as far as this instance knows.
    pub(crate) fn guess_shard<E: ResponseEnvironment>(&self, env: &E) -> ShardNumber {
        env.store().guess_shard(Some(&self.tenant))
    }

    /// Returns the key of a warm entry.
    pub(crate) fn for_warm_read(
        tenant: &TenantId,
        leaderboard: &LeaderboardId,
        read: WarmResponse,
        version: ApiVersion,
    ) -> Self {
        let period = PeriodSelector::Current;
        Self {
            tenant: tenant.clone(),
            leaderboard: leaderboard.clone(),
            read: match read {
                WarmResponse::List { limit } => CachedRead::List(ListQuery {
                    period,
                    cursor: None,
                    limit: limit.into(),
                }),
                WarmResponse::Distribution { buckets } => CachedRead::Distribution(DistributionQuery {
                    period,
                    buckets: buckets.into(),
                    score: None,
                }),
            },
            version,
            integers: IntegerFormat::default(),
        }
    }

    /// Returns the key as text. Different keys have different texts. The text begins with `tenant:leaderboard:`
    /// ([`leaderboard_scope`]).
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::with_capacity(96);
        // Writing to a string cannot fail.
        let _ = self.write_text(&mut text);
        text
    }

    fn write_text(&self, text: &mut String) -> std::fmt::Result {
        write!(
            text,
            "{}:{}:{}",
            self.tenant,
            self.leaderboard,
            self.version.number()
        )?;
        if self.integers == IntegerFormat::String {
            text.write_str("-strings")?;
        }
        let period = match &self.read {
            CachedRead::List(query) => {
                write!(text, ":list:{}", query.limit)?;
                if let Some(cursor) = &query.cursor {
                    write!(text, ":{}", cursor::encode(&cursor.encode()))?;
                }
                &query.period
            }
            CachedRead::Distribution(query) => {
                write!(text, ":distribution:{}", query.buckets)?;
                if let Some(score) = query.score {
                    write!(text, ":{score}")?;
                }
                &query.period
            }
            CachedRead::Entry(player, period) => {
                write!(text, ":entry:{player}")?;
                period
            }
            CachedRead::Around(player, period, limit) => {
                write!(text, ":around:{limit}:{player}")?;
                period
            }
            CachedRead::Leaderboard => {
                text.write_str(":leaderboard")?;
                &PeriodSelector::Current
            }
            CachedRead::Periods(before, limit) => {
                write!(text, ":periods:{limit}")?;
                if let Some(before) = before {
                    write!(text, ":{}", before.as_unix_ms())?;
                }
                &PeriodSelector::Current
            }
        };
        // A player's id contains no line break, so the period after the break cannot be confused with a part of the id.
        match period {
            PeriodSelector::Current => text.write_str("\n"),
            PeriodSelector::Previous => text.write_str("\nprevious"),
            PeriodSelector::Named(id) => write!(text, "\n{id}"),
            PeriodSelector::On(date) => write!(text, "\n{date}"),
        }
    }

    /// Returns the player that the key is about, if any.
    pub(crate) fn player(&self) -> Option<&PlayerId> {
        match &self.read {
            CachedRead::Entry(player, _) | CachedRead::Around(player, ..) => Some(player),
            CachedRead::List(_)
            | CachedRead::Distribution(_)
            | CachedRead::Leaderboard
            | CachedRead::Periods(..) => None,
        }
    }

    /// Returns the period that the key is about. Returns the current period for a key that does not name one, because the
    /// response changes when the current period changes.
    pub(crate) fn period(&self) -> &PeriodSelector {
        match &self.read {
            CachedRead::List(query) => &query.period,
            CachedRead::Distribution(query) => &query.period,
            CachedRead::Entry(_, period) | CachedRead::Around(_, period, _) => period,
            CachedRead::Leaderboard | CachedRead::Periods(..) => &PeriodSelector::Current,
        }
    }

    /// Returns whether the key names a period by an id, an instant or a date, so that the leaderboard's configuration is needed
    /// to find the period.
    pub(crate) fn names_a_period(&self) -> bool {
        matches!(self.period(), PeriodSelector::Named(_) | PeriodSelector::On(_))
    }

    /// Returns the key with another way to name its period.
    pub(crate) fn with_period(mut self, selector: PeriodSelector) -> Self {
        match &mut self.read {
            CachedRead::List(query) => query.period = selector,
            CachedRead::Distribution(query) => query.period = selector,
            CachedRead::Entry(_, period) | CachedRead::Around(_, period, _) => *period = selector,
            CachedRead::Leaderboard | CachedRead::Periods(..) => {}
        }
        self
    }

    /// Returns whether many clients ask for this key: a first page, the distribution, or the leaderboard.
    pub(crate) fn is_common(&self) -> bool {
        match &self.read {
            CachedRead::List(query) => query.cursor.is_none(),
            CachedRead::Distribution(query) => query.score.is_none(),
            CachedRead::Periods(before, _) => before.is_none(),
            CachedRead::Leaderboard => true,
            CachedRead::Entry(..) | CachedRead::Around(..) => false,
        }
    }

    /// Returns whether all callers get the same response at this URL. The result is false for a leaderboard's configuration: an
    /// administrator sees more of it, and a shared cache does not distinguish callers.
    pub(crate) fn is_same_for_all_callers(&self) -> bool {
        !matches!(self.read, CachedRead::Leaderboard)
    }

    /// Returns the slot in which the key-value tier may store the entry. Several keys may share a slot, so each entry contains
    /// its key.
    pub(crate) fn slot(&self, key_text: &str) -> u64 {
        if let Some(own) = self.own_slot() {
            return own;
        }
        let hash = hash_fnv(key_text.as_bytes());
        if self.is_common() {
            OWN_SLOTS + hash % SHARED_SLOTS
        } else {
            OWN_SLOTS + SHARED_SLOTS + hash % DEEP_SLOTS
        }
    }

    /// Returns the slot that only this key uses, or `None` if the key is not one of the keys that clients request most.
    pub(crate) fn own_slot(&self) -> Option<u64> {
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

/// Returns the part `tenant:leaderboard` of a key's text.
pub(crate) fn leaderboard_scope(key_text: &str) -> &str {
    let mut colons = key_text.match_indices(':').map(|(at, _)| at);
    colons
        .nth(1)
        .and_then(|end| key_text.get(..end))
        .unwrap_or(key_text)
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
    fn different_keys_have_different_texts() {
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
        let texts: std::collections::BTreeSet<String> = all.iter().map(CacheKey::to_text).collect();
        assert_eq!(texts.len(), all.len(), "{texts:?}");
        assert!(
            texts
                .iter()
                .all(|text| text.starts_with("acme:goals:") || text.starts_with("other:goals:"))
        );
        assert_eq!(leaderboard_scope(&all[0].to_text()), "acme:goals");
    }

    #[test]
    fn slots_are_bounded_and_the_most_read_keys_have_their_own() {
        let in_range =
            |key: &CacheKey, range: std::ops::Range<u64>| range.contains(&key.slot(&key.to_text()));
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
                own.insert(key.slot(&key.to_text()));
            }
        }
        assert_eq!(own.len() as u64, OWN_SLOTS);
        let previous = list(10, PeriodSelector::Previous);
        assert!(in_range(&previous, OWN_SLOTS..common));
    }
}
