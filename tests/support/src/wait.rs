//! Functions that run a test, and that wait for a change that takes effect later.

use std::time::{Duration, Instant};

use tokio::task::LocalSet;

/// The longest time that [`wait_until`] waits.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long [`wait_until`] pauses between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs a test on its own runtime. The test may use `spawn_local`.
///
/// # Panics
/// When the system has no more threads or files for a runtime.
#[expect(clippy::expect_used, reason = "a test stops where it cannot go on")]
pub fn block_on<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    LocalSet::new().block_on(&runtime, test)
}

/// Calls `read` until `is_expected` accepts its result, and returns that result.
///
/// # Panics
/// When no result is accepted within half a minute. The message shows the last result.
pub async fn wait_until<T: std::fmt::Debug>(
    mut read: impl AsyncFnMut() -> T,
    is_expected: impl Fn(&T) -> bool,
) -> T {
    let give_up_at = Instant::now() + TIMEOUT;
    loop {
        let result = read().await;
        if is_expected(&result) {
            return result;
        }
        assert!(Instant::now() < give_up_at, "still {result:?}");
        tokio::time::sleep(PAUSE).await;
    }
}
