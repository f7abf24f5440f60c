//! Takes scores in, removes entries, hides players, and shows the dead letters.

use leaderboard_http::families::Scores;
use spin_sdk::http::{IntoResponse, Request};

#[spin_sdk::http_service]
async fn handle(request: Request) -> impl IntoResponse {
    leaderboard_spin::serve::<Scores>(request).await
}
