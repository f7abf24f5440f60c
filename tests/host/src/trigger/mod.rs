//! The Redis trigger. Each message gets a new instance. Messages of one server are handled one after the
//! other.

mod backoff;
mod deliver;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt;
use redis::aio::PubSub;
use redis::{Client, RedisResult};
use tokio_util::sync::CancellationToken;

use crate::application::Subscription;
use crate::worker::Worker;

use backoff::Backoff;

/// The components of each channel.
type Channels = BTreeMap<String, Vec<String>>;

/// Listens to every server with subscriptions until the host stops.
pub(crate) async fn run(worker: Arc<Worker>) {
    let servers = group_by_server(&worker.host.application.subscriptions);
    let listeners = servers
        .into_iter()
        .map(|(address, channels)| listen(worker.clone(), address, channels));
    futures::future::join_all(listeners).await;
}

/// Returns the channels of each server. A subscription without an address is logged and left out.
fn group_by_server(subscriptions: &[Subscription]) -> BTreeMap<String, Channels> {
    let mut servers: BTreeMap<String, Channels> = BTreeMap::new();
    for subscription in subscriptions {
        if subscription.address.is_empty() {
            tracing::info!(
                component = subscription.component,
                channel = subscription.channel,
                "the Redis trigger is off: its address is empty"
            );
            continue;
        }
        let channels = servers.entry(subscription.address.clone()).or_default();
        channels
            .entry(subscription.channel.clone())
            .or_default()
            .push(subscription.component.clone());
    }
    servers
}

/// Listens to one server. After each failure it connects again, with longer and longer pauses.
async fn listen(worker: Arc<Worker>, address: String, channels: Channels) {
    let stopping = &worker.host.stopping;
    let mut backoff = Backoff::default();
    let server = match Client::open(address.as_str()) {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "the address of the Redis trigger is malformed");
            return;
        }
    };
    let place = server.get_connection_info().addr().to_string();
    loop {
        let connected = tokio::select! {
            () = stopping.cancelled() => return,
            connected = subscribe(&server, &channels) => connected,
        };
        match connected {
            Ok(messages) => {
                tracing::info!(server = place, channels = ?channels.keys().collect::<Vec<_>>(), "subscribed");
                backoff = Backoff::default();
                receive(&worker, messages, &channels, stopping).await;
                if stopping.is_cancelled() {
                    return;
                }
                tracing::warn!(
                    server = place,
                    "the server of the Redis trigger went away: messages are missed"
                );
            }
            Err(error) => tracing::warn!(server = place, %error, "the Redis trigger cannot subscribe"),
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(backoff.next()) => {}
        }
    }
}

async fn subscribe(server: &Client, channels: &Channels) -> RedisResult<PubSub> {
    let connect = async {
        let mut messages = server.get_async_pubsub().await?;
        for channel in channels.keys() {
            messages.subscribe(channel).await?;
        }
        Ok(messages)
    };
    let limit = crate::redis::CONNECT_TIMEOUT;
    let timed_out = || redis::RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
    tokio::time::timeout(limit, connect)
        .await
        .map_err(|_| timed_out())?
}

/// Handles messages one after the other until the connection ends or the host stops.
async fn receive(
    worker: &Arc<Worker>,
    mut messages: PubSub,
    channels: &Channels,
    stopping: &CancellationToken,
) {
    let mut stream = messages.on_message();
    loop {
        let message = tokio::select! {
            biased;
            () = stopping.cancelled() => return,
            message = stream.next() => message,
        };
        let Some(message) = message else {
            return;
        };
        let components = channels
            .get(message.get_channel_name())
            .map_or(&[][..], Vec::as_slice);
        let payload = message.get_payload_bytes();
        let deliveries = components
            .iter()
            .map(|component| deliver::deliver(worker, component, payload.to_vec()));
        futures::future::join_all(deliveries).await;
    }
}
