//! Takes scores in, removes entries, hides players, and shows the dead letters.

use leaderboard_scores_function::ScoresFunction;

leaderboard_spin::http_function!(leaderboard_spin::serve::<ScoresFunction>);
