//! Tenants: what the operator sets for each, what each uses, and the audit log.

use leaderboard_http::families::Tenants;
use spin_sdk::http::{IntoResponse, Request};

#[spin_sdk::http_service]
async fn handle(request: Request) -> impl IntoResponse {
    leaderboard_spin::serve::<Tenants>(request).await
}
