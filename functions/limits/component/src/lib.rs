//! Serves the documents with the rate limits of tenants and of the operator.

use leaderboard_limits_function::LimitsFunction;

leaderboard_spin::http_function!(leaderboard_spin::serve::<LimitsFunction>);
