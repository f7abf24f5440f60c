//! Webhooks: what the events of a tenant tell other systems. A delivery run goes through these files, in this order
//! (docs/decisions/0051):
//!
//! 1. [`run`] finds the webhooks that are due ([`turn`]), and claims those that have something to send ([`peek`]) for a lease.
//!    It serves one webhook after the other: first messages whose next attempt is due, then new ones.
//! 2. [`worker`] sends messages of a webhook, and stores those that wait.
//! 3. [`board`] reads a leaderboard's log from where the last run stopped ([`cursor`]): accepted scores, ranks that changed ([`top`]),
//!    periods that ended ([`period`]). [`tenant`] finds bans and quotas.
//! 4. [`message`] makes a message of an event, [`attempt`] signs and sends it, and [`retry`] decides when it is sent again.
//! 5. [`state`] keeps what the next run needs.
//!
//! [`admin`] has what administrators do. All of it is documents of the store ([`names`]); there is no table of deliveries.

mod admin;
mod attempt;
mod board;
mod cursor;
mod message;
mod names;
mod peek;
mod period;
mod places;
mod retry;
mod run;
mod state;
mod sweep;
mod tenant;
mod top;
mod turn;
mod worker;

pub use admin::{
    Replay, create_webhook, delete_message, erase_text, find_webhook, list_messages, list_webhooks, ping,
    read_status, replay_message, wake,
};
pub use names::webhook_name;
pub use places::{MAX_WEBHOOKS, take_place};
pub use run::{DeliveryReport, deliver_due};
