//! The instances of one component on one worker: their creation, reuse and end.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;
use tokio_util::sync::CancellationToken;
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut, format_err};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, Proxy, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p3::bindings::ServicePre;

use super::Worker;
use crate::application::Component;
use crate::engine::BusyMeter;
use crate::error::one_line;
use crate::guest::{self, GuestState};

/// Creates the instances of one component.
pub(crate) struct Pool {
    worker: Weak<Worker>,
    component: Arc<Component>,
    service: ServicePre<GuestState>,
}

impl Pool {
    pub(crate) fn new(
        worker: Weak<Worker>,
        component: Arc<Component>,
        service: ServicePre<GuestState>,
    ) -> Self {
        Self {
            worker,
            component,
            service,
        }
    }
}

impl HandlerState for Pool {
    type StoreData = GuestState;
    type WorkerExpiration = Expiration;
    type WorkerState = Reuse;

    async fn instantiate(&self) -> wasmtime::Result<Instance<GuestState, Expiration, Reuse>> {
        let worker = self
            .worker
            .upgrade()
            .ok_or_else(|| format_err!("the host is stopping"))?;
        let mut store = guest::create_store(&worker.services, &self.component)?;
        let service = self.service.instantiate_async(&mut store).await?;
        let config = &worker.host.reuse;
        let request_timeout = config.request_timeout.map(crate::OneOf::<Duration>::pick);
        Ok(Instance {
            proxy: Proxy::P3(service),
            view: GuestState::inbound,
            expiration: Expiration {
                idle_timeout: config.idle_instance_timeout.pick(),
                request_timeout,
                sleep: Box::pin(tokio::time::sleep(Duration::ZERO)),
                meter: store.data().meter.clone(),
                presence: Presence {
                    worker: worker.clone(),
                    busy: AtomicBool::new(false),
                },
            },
            state: Reuse {
                component: self.component.id.clone(),
                stopping: worker.host.stopping.clone(),
                max_count: config.max_instance_reuse_count.pick(),
                max_concurrent: config.max_instance_concurrent_reuse_count.pick(),
                request_timeout,
            },
            store,
        })
    }
}

/// Decides when an instance is dropped.
pub(crate) struct Expiration {
    idle_timeout: Duration,
    request_timeout: Option<Duration>,
    sleep: Pin<Box<Sleep>>,
    meter: Arc<BusyMeter>,
    presence: Presence,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        self.meter.on_pending();
        self.presence.set(status != WorkerStatus::Idle);
        let timeout = match status {
            WorkerStatus::Idle => Some(self.idle_timeout),
            WorkerStatus::Requests | WorkerStatus::PostReturn => self.request_timeout,
        };
        let Some(deadline) = timeout.and_then(|timeout| start.checked_add(timeout)) else {
            return Poll::Pending;
        };
        // Moving a timer is expensive, and this function runs with every request. So a timer that is due too
        // early is not moved now. It is set again when it fires.
        let deadline = deadline.into();
        if self.sleep.is_elapsed() || self.sleep.deadline() > deadline {
            self.sleep.as_mut().reset(deadline);
        }
        loop {
            std::task::ready!(self.sleep.as_mut().poll(cx));
            if self.sleep.deadline() >= deadline {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(deadline);
        }
    }
}

/// Counts an instance as busy in its worker.
struct Presence {
    worker: Arc<Worker>,
    busy: AtomicBool,
}

impl Presence {
    fn set(&self, busy: bool) {
        match (self.busy.swap(busy, Relaxed), busy) {
            (false, true) => _ = self.worker.busy.fetch_add(1, Relaxed),
            (true, false) => _ = self.worker.busy.fetch_sub(1, Relaxed),
            (false, false) | (true, true) => {}
        }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.set(false);
    }
}

/// Decides which requests an instance accepts.
pub(crate) struct Reuse {
    component: Arc<str>,
    stopping: CancellationToken,
    max_count: usize,
    max_concurrent: usize,
    request_timeout: Option<Duration>,
}

impl WorkerState for Reuse {
    type StoreData = GuestState;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.max_count {
            ShouldAccept::Never
        } else if concurrent >= self.max_concurrent {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, GuestState>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        match self.request_timeout {
            Some(timeout) => Box::pin(tokio::time::sleep(timeout)),
            None => Box::pin(std::future::pending()),
        }
    }

    fn drop(&self, store: Store<GuestState>, result: wasmtime::Result<()>) {
        // A stop drops idle instances, which is not a failure.
        if let Err(error) = result
            && !self.stopping.is_cancelled()
        {
            tracing::error!(
                component = &*self.component,
                error = one_line(&error),
                "an instance failed"
            );
        }
        drop(store);
    }
}
