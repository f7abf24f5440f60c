//! Answers who stands where.

use leaderboard_http::families::Ranks;

leaderboard_spin::http_function!(leaderboard_spin::serve::<Ranks>);
