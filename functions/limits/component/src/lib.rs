//! How often who may call: the documents of the tenants and the operator.

use leaderboard_limits_function::LimitsFunction;

leaderboard_spin::http_function!(leaderboard_spin::serve::<LimitsFunction>);
