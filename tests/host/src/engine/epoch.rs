//! Interrupts guests at regular intervals, so that a busy guest does not block others on its thread, and
//! stops a guest that never waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use wasmtime::{Engine, Store, UpdateDeadline};

/// How often running guests are interrupted.
pub(crate) const EPOCH_TICK: Duration = Duration::from_millis(10);

/// A thread that advances the engine's epoch until it is dropped.
pub(crate) struct Ticker {
    stopped: Arc<AtomicBool>,
}

impl Ticker {
    /// Starts the thread.
    ///
    /// # Errors
    /// The operating system cannot start a thread.
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let stopped = Arc::new(AtomicBool::new(false));
        let (flag, engine) = (stopped.clone(), engine.weak());
        std::thread::Builder::new()
            .name("epoch".to_owned())
            .spawn(move || {
                while !flag.load(Relaxed) {
                    std::thread::sleep(EPOCH_TICK);
                    match engine.upgrade() {
                        Some(engine) => engine.increment_epoch(),
                        None => break,
                    }
                }
            })?;
        Ok(Self { stopped })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stopped.store(true, Relaxed);
    }
}

/// Counts how long a guest runs without waiting for anything.
///
/// After each interruption, a guest may run for one whole tick, so that two busy guests share their thread.
/// Each such turn counts as one tick.
#[derive(Debug, Default)]
pub(crate) struct BusyMeter {
    /// Whether the guest was interrupted since the last call of `on_pending`. If so, the guest is not
    /// waiting.
    yielded: AtomicBool,
    /// Whether the next interruption begins a turn instead of ending one.
    fresh_turn: AtomicBool,
    turns: AtomicU32,
}

impl BusyMeter {
    /// Called each time the instance releases the thread. If it was not interrupted, the guest waits for
    /// something, and its count begins again.
    pub(crate) fn on_pending(&self) {
        if !self.yielded.swap(false, Relaxed) {
            self.turns.store(0, Relaxed);
            self.fresh_turn.store(false, Relaxed);
        }
    }

    /// Called at an interruption. Returns `None` if the guest has used `limit_ticks`.
    fn on_tick(&self, limit_ticks: u32) -> Option<UpdateDeadline> {
        if self.fresh_turn.swap(false, Relaxed) {
            return Some(UpdateDeadline::Continue(1));
        }
        if self.turns.fetch_add(1, Relaxed) >= limit_ticks {
            return None;
        }
        self.yielded.store(true, Relaxed);
        self.fresh_turn.store(true, Relaxed);
        // The yield of the runtime also lets the I/O driver run. With a plain wake-up, the driver would not
        // run.
        Some(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
    }
}

/// The error of a guest that ran for too long without waiting.
#[derive(Debug, thiserror::Error)]
#[error("the guest ran for {0:?} without waiting for anything")]
pub(crate) struct Runaway(Duration);

/// Sets up a store so that its guest yields at every tick, and traps when `meter` reaches `limit`.
pub(crate) fn arm<T>(store: &mut Store<T>, meter: Arc<BusyMeter>, limit: Duration) {
    let ticks = limit.as_millis() / EPOCH_TICK.as_millis();
    let limit_ticks = u32::try_from(ticks).unwrap_or(u32::MAX);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| meter.on_tick(limit_ticks).ok_or_else(|| Runaway(limit).into()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_that_waits_begins_a_new_count_of_busy_ticks() {
        let meter = BusyMeter::default();
        let is_yield =
            |update: Option<UpdateDeadline>| matches!(update, Some(UpdateDeadline::YieldCustom(..)));
        for _ in 0..10 {
            assert!(is_yield(meter.on_tick(2)));
            meter.on_pending(); // The interruption released the thread: the guest is still busy.
            meter.on_pending(); // The guest waits, which resets its count.
        }
        assert!(is_yield(meter.on_tick(2)));
        meter.on_pending();
        assert!(matches!(meter.on_tick(2), Some(UpdateDeadline::Continue(1))));
        assert!(is_yield(meter.on_tick(2)));
        meter.on_pending();
        assert!(matches!(meter.on_tick(2), Some(UpdateDeadline::Continue(1))));
        assert!(meter.on_tick(2).is_none());
    }
}
