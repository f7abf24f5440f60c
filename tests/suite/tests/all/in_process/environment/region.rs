//! A region: a store, a key-value store, other services, and a clock.

use std::cell::Cell;
use std::rc::Rc;
use std::time::SystemTime;

use http::HeaderName;
use leaderboard_auth::{AuthSettings, PlayerTokens, Secret};
use leaderboard_core::{RegionName, TenantId};
use leaderboard_pipeline::{CdnKeyHeaders, CorsOrigins, Settings, TrustedProxies};
use leaderboard_test_support::ADMIN_KEY;

use super::key_value::KeyValue;
use super::store::Store;
use super::web::Web;

/// The key whose only permission is to read the metrics.
pub(crate) const METRICS_KEY: &str = "the-key-for-metrics";
/// The secret that signs players' tokens in every region.
pub(crate) const TOKEN_SECRET: &str = "a secret of the operator, the same in every region";
/// The time at which tests begin, in seconds since the epoch: Sunday, 2026-07-19T21:04:00Z.
pub(crate) const BEGIN_S: i64 = 1_784_495_040;

/// A region. A clone refers to the same region.
#[derive(Clone)]
pub(crate) struct Region(Rc<RegionParts>);

/// What the instances of a region share.
pub(crate) struct RegionParts {
    pub(crate) store: Rc<Store>,
    pub(crate) key_value: KeyValue,
    pub(crate) web: Web,
    clock_ms: Rc<Cell<i64>>,
    /// Whether a pause moves the clock.
    pub(crate) pauses_take_time: Rc<Cell<bool>>,
    /// Whether the store is remote, like Redis. If it is, the region caches the configurations that it reads.
    pub(crate) store_is_remote: Rc<Cell<bool>>,
    random: Cell<u8>,
    options: RegionOptions,
}

impl std::ops::Deref for Region {
    type Target = RegionParts;

    fn deref(&self) -> &RegionParts {
        &self.0
    }
}

/// The options of a region.
#[derive(Clone)]
pub(crate) struct RegionOptions {
    pub(crate) settings: Settings,
    /// The tenant that requests with the operator's key name. If it is empty, they name no tenant.
    pub(crate) tenant: &'static str,
    pub(crate) store_is_remote: bool,
    /// Whether the clock moves before the first read after a write, until the write shows.
    pub(crate) reads_wait_for_changes: bool,
    /// Whether the region has the clock of the computer.
    pub(crate) has_real_clock: bool,
}

impl RegionOptions {
    /// Changes the operator's settings.
    pub(crate) fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Signs players' tokens with `secret`. Tokens that were signed with the secret `before` are still
    /// accepted.
    pub(crate) fn token_secret(self, secret: &str, before: &str) -> Self {
        let tokens = PlayerTokens::new(secret, before).unwrap().map(Rc::new);
        self.settings(|settings| settings.auth.player_tokens = tokens)
    }

    /// Announces changes to other regions.
    pub(crate) fn announcing(self) -> Self {
        self.settings(|settings| settings.changes_channel = Some("changes".into()))
    }

    pub(crate) fn remote_store(mut self, is_remote: bool) -> Self {
        self.store_is_remote = is_remote;
        self
    }

    pub(crate) fn region(self) -> Region {
        let clock_ms = Rc::new(Cell::new(if self.has_real_clock { 0 } else { BEGIN_S * 1000 }));
        let region = Region(Rc::new(RegionParts {
            store: Rc::default(),
            key_value: KeyValue::default(),
            web: Web::new(Rc::clone(&clock_ms)),
            clock_ms,
            pauses_take_time: Rc::default(),
            store_is_remote: Rc::new(Cell::new(self.store_is_remote)),
            random: Cell::new(0),
            options: self,
        }));
        region.pass_ms(0);
        region
    }
}

impl Region {
    /// Returns the default options: an embedded store, a clock that tests move, and reads that wait until
    /// writes show.
    pub(crate) fn with_options() -> RegionOptions {
        let settings = Settings {
            auth: AuthSettings {
                admin_key: Secret::new(ADMIN_KEY),
                metrics_key: Secret::new(METRICS_KEY),
                player_tokens: None,
            },
            default_tenant: TenantId::new("default").unwrap(),
            region: RegionName::new("default").unwrap(),
            changes_channel: None,
            trusted_proxies: TrustedProxies::default(),
            country_header: Some(HeaderName::from_static("x-country")),
            deprecation: None,
            cors_origins: CorsOrigins::None,
            cdn_key_headers: CdnKeyHeaders::default(),
            private_webhook_hosts: true,
        };
        let options = RegionOptions {
            settings,
            tenant: "",
            store_is_remote: false,
            reads_wait_for_changes: true,
            has_real_clock: false,
        };
        options.token_secret(TOKEN_SECRET, "")
    }

    /// Creates a region whose clock moves only if a test moves it: reads do not wait until writes show.
    pub(crate) fn with_still_clock(store_is_remote: bool) -> Self {
        RegionOptions {
            reads_wait_for_changes: false,
            ..Self::with_options().remote_store(store_is_remote)
        }
        .region()
    }

    /// Creates a region like [`Region::with_still_clock`], with a remote store. Requests with the operator's
    /// key name the tenant acme.
    pub(crate) fn of_acme() -> Self {
        RegionOptions {
            tenant: "acme",
            reads_wait_for_changes: false,
            ..Self::with_options().remote_store(true)
        }
        .region()
    }

    /// Creates another region with the same store and the same clock.
    pub(crate) fn elsewhere(&self) -> Self {
        Self(Rc::new(RegionParts {
            store: Rc::clone(&self.store),
            key_value: KeyValue::default(),
            web: Web::new(Rc::clone(&self.clock_ms)),
            clock_ms: Rc::clone(&self.clock_ms),
            pauses_take_time: Rc::clone(&self.pauses_take_time),
            store_is_remote: Rc::clone(&self.store_is_remote),
            random: Cell::new(0),
            options: self.options.clone(),
        }))
    }
}

impl RegionParts {
    pub(crate) fn options(&self) -> &RegionOptions {
        &self.options
    }

    /// Returns the time, in milliseconds since the epoch.
    pub(crate) fn now_ms(&self) -> i64 {
        let real_ms = if self.options.has_real_clock {
            let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            i64::try_from(since_epoch.as_millis()).unwrap()
        } else {
            0
        };
        real_ms + self.clock_ms.get()
    }

    /// Moves the clock of the instances and of the store forward by `ms` milliseconds.
    pub(crate) fn pass_ms(&self, ms: i64) {
        self.clock_ms.set(self.clock_ms.get() + ms);
        self.set_store_clock();
    }

    /// Sets the store's clock to the region's time.
    pub(crate) fn set_store_clock(&self) {
        self.store.set_clock(u64::try_from(self.now_ms()).unwrap() * 1000);
    }

    /// Returns bytes that differ from call to call.
    pub(crate) fn random(&self) -> [u8; 32] {
        self.random.set(self.random.get().wrapping_add(1));
        [self.random.get(); 32]
    }
}
