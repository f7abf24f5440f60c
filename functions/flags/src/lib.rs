//! Feature flags: their definitions, and their evaluation by OFREP.

use leaderboard_http::families::Flags;

leaderboard_spin::http_function!(leaderboard_spin::serve::<Flags>);
