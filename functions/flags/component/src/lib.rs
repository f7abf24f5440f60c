//! Feature flags: their definitions, and their evaluation by OFREP.

use leaderboard_flags_function::FlagsFunction;

leaderboard_spin::http_function!(leaderboard_spin::serve::<FlagsFunction>);
