//! One readiness probe of the store for everybody who asks within a second: the route is open to anyone, so its callers
//! must not decide how often the store is asked.

use std::cell::{Cell, RefCell};

use leaderboard_core::ports::Readiness;
use leaderboard_core::{StoreError, Timestamp};

use crate::environment::Environment;
use crate::handlers::health::is_set_up_badly;

/// For how long the answer to a probe is reused, in milliseconds; also the answer that the store failed.
const REUSED_FOR_MS: i64 = 1_000;
/// How long a request that waits for another one's probe pauses before it looks again, in milliseconds.
const PAUSE_MS: u64 = 5;
/// How long a request waits for another one's probe, in milliseconds: longer than connecting and one command may take.
const MAX_WAIT_MS: i64 = 5_000;

/// What the last probe of an instance found, and whether one is under way.
#[derive(Debug, Default)]
pub(crate) struct ReadinessProbe {
    last: RefCell<Option<Probed>>,
    is_running: Cell<bool>,
}

/// What a probe found.
#[derive(Debug, Clone)]
pub(crate) struct Probed {
    /// When the store answered, or was given up.
    pub(crate) at: Timestamp,
    /// Whether it is ready.
    pub(crate) answer: Result<(), StoreError>,
    /// Whether a setting of its server is known to be another one than it should be.
    pub(crate) is_set_up_badly: bool,
}

/// Ends a probe, also one whose client went away.
struct Running<'a>(&'a Cell<bool>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl ReadinessProbe {
    /// The last answer, while it may be reused. A clock that was set back makes no answer live longer.
    fn reusable(&self, now: Timestamp) -> Option<Probed> {
        let last = self.last.borrow();
        let age_ms = |probed: &&Probed| now.as_unix_ms().saturating_sub(probed.at.as_unix_ms());
        last.as_ref()
            .filter(|probed| (0..REUSED_FOR_MS).contains(&age_ms(probed)))
            .cloned()
    }
}

/// Whether the store is ready, as this instance found within the last second; asks the store when it has not. Requests that
/// come while the store is being asked wait for that answer.
pub(crate) async fn probe<E: Environment>(env: &E) -> Probed {
    let probe = &env.memory().readiness;
    let give_up_at = env.clock().as_unix_ms().saturating_add(MAX_WAIT_MS);
    loop {
        let now = env.clock();
        if let Some(probed) = probe.reusable(now) {
            return probed;
        }
        if !probe.is_running.replace(true) {
            break;
        }
        if now.as_unix_ms() >= give_up_at {
            let late = StoreError::Unavailable("another request's probe takes too long".to_owned());
            return Probed {
                at: now,
                answer: Err(late),
                is_set_up_badly: false,
            };
        }
        env.pause(PAUSE_MS).await;
    }
    let running = Running(&probe.is_running);
    let answer = env.store().ready().await;
    let is_set_up_badly = answer.is_ok() && is_set_up_badly(env).await;
    let probed = Probed {
        at: env.clock(),
        answer,
        is_set_up_badly,
    };
    *probe.last.borrow_mut() = Some(probed.clone());
    drop(running);
    probed
}
