//! Serves the reads of entries, periods and distributions.

use leaderboard_ranks_function::RanksFunction;

leaderboard_spin::http_function!(leaderboard_spin::serve::<RanksFunction>);
