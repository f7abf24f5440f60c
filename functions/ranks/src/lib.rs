//! Answers who stands where.

use leaderboard_http::families::Ranks;
use spin_sdk::http::{IntoResponse, Request};

#[spin_sdk::http_service]
async fn handle(request: Request) -> impl IntoResponse {
    leaderboard_spin::serve::<Ranks>(request).await
}
