//! Answers who stands where.

use leaderboard_ranks_function::RanksFunction;

leaderboard_spin::http_function!(leaderboard_spin::serve::<RanksFunction>);
