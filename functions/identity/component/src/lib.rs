//! Identity: API keys, issuers of tokens, tokens for players.

use leaderboard_identity_function::IdentityFunction;

leaderboard_spin::http_function!(leaderboard_spin::serve::<IdentityFunction>);
