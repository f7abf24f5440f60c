//! Creates, reads, changes and deletes leaderboards.

use leaderboard_leaderboards_function::LeaderboardsFunction;

leaderboard_spin::http_function!(leaderboard_spin::serve::<LeaderboardsFunction>);
