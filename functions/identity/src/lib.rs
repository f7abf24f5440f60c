//! Identity: API keys, issuers of tokens, tokens for players.

use leaderboard_http::families::Identity;
use spin_sdk::http::{IntoResponse, Request};

#[spin_sdk::http_service]
async fn handle(request: Request) -> impl IntoResponse {
    leaderboard_spin::serve::<Identity>(request).await
}
