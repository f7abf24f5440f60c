//! Creates, reads, changes and deletes leaderboards.

use leaderboard_http::families::Leaderboards;
use spin_sdk::http::{IntoResponse, Request};

#[spin_sdk::http_service]
async fn handle(request: Request) -> impl IntoResponse {
    leaderboard_spin::serve::<Leaderboards>(request).await
}
