//! Serves live updates.

use leaderboard_live_function::LiveFunction;

leaderboard_spin::http_function!(leaderboard_spin::serve::<LiveFunction>);
