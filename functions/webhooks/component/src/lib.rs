//! Webhooks and their deliveries.

use leaderboard_webhooks_function::WebhooksFunction;

leaderboard_spin::http_function!(leaderboard_spin::serve::<WebhooksFunction>);
