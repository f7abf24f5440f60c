//! The readiness of the store, which the instances of a region share.

use leaderboard_core::codec::{Malformed, Reader, Writer};
use leaderboard_core::ports::Cache;
use leaderboard_core::{StoreError, Timestamp};

use super::{Probed, SettingsCheck, age_ms};
use crate::PipelineEnvironment;
use leaderboard_cache::freshness::CLOCK_MARGIN_MS;

/// How long a lease lasts, in milliseconds: for that time one instance probes the store, and the others wait. The instance may end
/// before it has a result.
pub(super) const LEASE_MS: i64 = 1_000;
/// The key in the region's key-value store.
const KEY: &str = "store:readiness";
/// The version of the format.
const FORM_V2: u8 = 2;

/// The last result of the region, and the lease of the instance that is probing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shared {
    pub last: Option<Probed>,
    /// When the lease ends.
    leased_until: Option<Timestamp>,
    /// When the region last reported itself.
    pub reported_at: Option<Timestamp>,
}

impl Shared {
    /// Returns a result without a lease.
    pub(super) const fn new(probed: Probed, reported_at: Option<Timestamp>) -> Self {
        Self {
            last: Some(probed),
            leased_until: None,
            reported_at,
        }
    }

    /// Reads the region's state. Returns the default if no instance has written a state, or if the key-value store
    /// does not answer.
    pub(super) async fn read<E: PipelineEnvironment>(env: &E) -> Self {
        let bytes = env.key_value_store().get(KEY).await.ok().flatten();
        bytes
            .and_then(|bytes| Self::unpack(&bytes).ok())
            .unwrap_or_default()
    }

    /// Writes the region's state. If the key-value store does not accept it, each instance uses its own results.
    pub(super) async fn write<E: PipelineEnvironment>(&self, env: &E) {
        let _ = env.key_value_store().put(KEY, &self.pack()).await;
    }

    /// Returns the last result if it is younger than `limit_ms` milliseconds. Ignores a result that lies further in the future
    /// than clocks may differ, because an instance with a wrong clock wrote it.
    pub(super) fn find_result(&self, now: Timestamp, limit_ms: i64) -> Option<&Probed> {
        self.last
            .as_ref()
            .filter(|probed| (-CLOCK_MARGIN_MS..limit_ms).contains(&age_ms(probed.at, now)))
    }

    /// Gives this instance the lease to probe, for [`LEASE_MS`] from `now`.
    pub(super) fn take_lease(&mut self, now: Timestamp) {
        self.leased_until = Some(now.saturating_add_ms(LEASE_MS));
    }

    /// Returns whether an instance has the lease. Ignores a lease that ends later than a correct lease can, because an instance
    /// with a wrong clock wrote it.
    pub(super) fn is_leased(&self, now: Timestamp) -> bool {
        let left_ms = |until| -age_ms(until, now);
        self.leased_until
            .is_some_and(|until| (1..=LEASE_MS + CLOCK_MARGIN_MS).contains(&left_ms(until)))
    }

    fn pack(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.byte(FORM_V2);
        w.option(self.leased_until, Writer::timestamp);
        w.option(self.reported_at, Writer::timestamp);
        w.option(self.last.as_ref(), |w, probed| {
            w.timestamp(probed.at);
            w.option(probed.settings, |w, settings| {
                w.timestamp(settings.checked_at);
                w.byte(u8::from(settings.are_wrong));
            });
            w.option(probed.answer.as_ref().err(), |w, error| {
                let (kind, cause) = match error {
                    StoreError::Unavailable(cause) => (0, cause),
                    StoreError::OutOfMemory(cause) => (1, cause),
                    StoreError::Corrupt(cause) => (2, cause),
                    StoreError::Rejected(cause) => (3, cause),
                    StoreError::TenantUnavailable(cause) => (4, cause),
                };
                w.byte(kind);
                w.text(cause);
            });
        });
        w.finish()
    }

    fn unpack(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        if r.byte()? != FORM_V2 {
            return Err(Malformed("readiness"));
        }
        let leased_until = r.option(Reader::timestamp)?;
        let reported_at = r.option(Reader::timestamp)?;
        let last = r.option(probed)?;
        r.end()?;
        Ok(Self {
            last,
            leased_until,
            reported_at,
        })
    }
}

fn probed(r: &mut Reader<'_>) -> Result<Probed, Malformed> {
    let at = r.timestamp()?;
    let settings = r.option(|r| {
        Ok(SettingsCheck {
            checked_at: r.timestamp()?,
            are_wrong: r.flag()?,
        })
    })?;
    let error = r.option(|r| {
        let kind = match r.byte()? {
            0 => StoreError::Unavailable,
            1 => StoreError::OutOfMemory,
            2 => StoreError::Corrupt,
            3 => StoreError::Rejected,
            4 => StoreError::TenantUnavailable,
            _ => return Err(Malformed("readiness")),
        };
        Ok(kind(r.text()?.to_owned()))
    })?;
    Ok(Probed {
        at,
        answer: error.map_or(Ok(()), Err),
        settings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The current time of the tests, in milliseconds.
    const NOW_MS: i64 = 1_000_000;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms).unwrap()
    }

    fn create_shared(answer: Result<(), StoreError>) -> Shared {
        Shared {
            last: Some(Probed {
                at: at(NOW_MS),
                answer,
                settings: Some(SettingsCheck {
                    checked_at: at(NOW_MS - 1),
                    are_wrong: true,
                }),
            }),
            leased_until: Some(at(NOW_MS + 1)),
            reported_at: Some(at(NOW_MS - 2)),
        }
    }

    #[test]
    fn unpacking_restores_a_state_and_refuses_damaged_bytes() {
        for answer in [
            Ok(()),
            Err(StoreError::Unavailable("a".into())),
            Err(StoreError::OutOfMemory("b".into())),
            Err(StoreError::Corrupt("c".into())),
            Err(StoreError::Rejected("d".into())),
        ] {
            let kept = create_shared(answer);
            let bytes = kept.pack();
            assert_eq!(Shared::unpack(&bytes), Ok(kept));
            for cut in 0..bytes.len() {
                assert!(Shared::unpack(&bytes[..cut]).is_err(), "{cut}");
            }
        }
        let nothing = Shared::default();
        assert_eq!(Shared::unpack(&nothing.pack()), Ok(nothing));
    }

    #[test]
    fn results_and_leases_expire_and_those_of_a_wrong_clock_are_ignored() {
        let kept = create_shared(Ok(()));
        let has_result = |ms: i64| kept.find_result(at(NOW_MS + ms), 1_000).is_some();
        assert!(has_result(0) && has_result(999) && has_result(-CLOCK_MARGIN_MS));
        assert!(!has_result(1_000) && !has_result(-CLOCK_MARGIN_MS - 1));
        let mut kept = Shared::default();
        assert!(!kept.is_leased(at(NOW_MS)));
        kept.take_lease(at(NOW_MS));
        let is_leased = |ms: i64| kept.is_leased(at(NOW_MS + ms));
        assert!(is_leased(0) && is_leased(LEASE_MS - 1) && is_leased(-CLOCK_MARGIN_MS));
        assert!(!is_leased(LEASE_MS) && !is_leased(-CLOCK_MARGIN_MS - 1));
    }
}
