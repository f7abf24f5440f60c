//! Submits scores, removes entries, bans players, and lists dead letters.

use leaderboard_scores_function::ScoresFunction;

leaderboard_spin::http_function!(leaderboard_spin::serve::<ScoresFunction>);
