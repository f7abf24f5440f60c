//! Creates, reads, changes and deletes leaderboards.

use leaderboard_http::families::Leaderboards;

leaderboard_spin::http_function!(leaderboard_spin::serve::<Leaderboards>);
