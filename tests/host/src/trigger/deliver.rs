//! Delivers a message to a component.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use crate::engine::BusyMeter;
use crate::error::one_line;
use crate::guest;
use crate::worker::Worker;

/// Runs a new instance of `component` with `payload`. A failure is logged, and the message is lost, as on
/// Spin.
pub(super) async fn deliver(worker: &Arc<Worker>, component: &str, payload: Vec<u8>) {
    match handle(worker, component, payload).await {
        Ok(Ok(())) => tracing::debug!(component, "a message was handled"),
        Ok(Err(refusal)) => tracing::error!(component, error = ?refusal, "the handler of a message failed"),
        Err(error) => tracing::error!(
            component,
            error = one_line(&error),
            "the handler of a message failed"
        ),
    }
}

type Handled = Result<(), crate::bindings::spin::redis::redis::Error>;

async fn handle(worker: &Arc<Worker>, component: &str, payload: Vec<u8>) -> wasmtime::Result<Handled> {
    let loaded = worker.host.loaded.get(component);
    let Some((loaded, subscriber)) = loaded.and_then(|loaded| Some((loaded, loaded.subscriber.as_ref()?)))
    else {
        wasmtime::bail!("the component does not handle messages");
    };
    let mut store = guest::create_store(&worker.services, &loaded.component)?;
    let meter = store.data().meter.clone();
    let instance = subscriber.instantiate_async(&mut store).await?;
    let call = store.run_concurrent(async |accessor| {
        instance
            .spin_redis_inbound_redis()
            .call_handle_message(accessor, payload)
            .await
    });
    run_metered(&meter, call).await?
}

/// Runs `call`, and calls `meter` each time the instance releases the thread.
async fn run_metered<T>(meter: &BusyMeter, call: impl Future<Output = T>) -> T {
    let mut call = pin!(call);
    std::future::poll_fn(|cx| {
        let poll = call.as_mut().poll(cx);
        if poll.is_pending() {
            meter.on_pending();
        }
        poll
    })
    .await
}
