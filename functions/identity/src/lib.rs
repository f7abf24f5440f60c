//! Identity: API keys, issuers of tokens, tokens for players.

use leaderboard_http::families::Identity;

leaderboard_spin::http_function!(leaderboard_spin::serve::<Identity>);
