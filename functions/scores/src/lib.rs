//! Takes scores in, removes entries, hides players, and shows the dead letters.

use leaderboard_http::families::Scores;

leaderboard_spin::http_function!(leaderboard_spin::serve::<Scores>);
