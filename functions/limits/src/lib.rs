//! How often who may call: the documents of the tenants and the operator.

use leaderboard_http::families::Limits;

leaderboard_spin::http_function!(leaderboard_spin::serve::<Limits>);
