//! Health, metrics, and a clear answer on routes that are nobody else's.

use leaderboard_http::families::Ops;
use spin_sdk::http::{IntoResponse, Request};

#[spin_sdk::http_service]
async fn handle(request: Request) -> impl IntoResponse {
    leaderboard_spin::serve::<Ops>(request).await
}
