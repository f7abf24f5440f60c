//! Health, metrics, and a clear answer on routes that are nobody else's.

use leaderboard_ops_function::OpsFunction;

leaderboard_spin::http_function!(leaderboard_spin::serve::<OpsFunction>);
