//! Serves health, metrics, and the 404 of unknown routes.

use leaderboard_ops_function::OpsFunction;

leaderboard_spin::http_function!(leaderboard_spin::serve::<OpsFunction>);
