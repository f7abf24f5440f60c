//! Feature flags: their definitions, and their evaluation by OFREP.

use leaderboard_http::families::Flags;
use spin_sdk::http::{IntoResponse, Request};

#[spin_sdk::http_service]
async fn handle(request: Request) -> impl IntoResponse {
    leaderboard_spin::serve::<Flags>(request).await
}
