//! How often who may call: the documents of the tenants and the operator.

use leaderboard_http::families::Limits;
use spin_sdk::http::{IntoResponse, Request};

#[spin_sdk::http_service]
async fn handle(request: Request) -> impl IntoResponse {
    leaderboard_spin::serve::<Limits>(request).await
}
