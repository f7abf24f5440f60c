//! Health, and a clear answer on routes that are nobody else's.

use leaderboard_http::handlers::ops;
use leaderboard_http::{Context, Endpoint, Environment, Need, Problem, Response, Route, RouteTable, Verb};
use spin_sdk::http::{IntoResponse, Request};

enum Call {
    Live,
    Ready,
}

struct Ops;

impl Endpoint for Ops {
    type Route = Call;

    fn table() -> RouteTable<Call> {
        const {
            &[
                Route::new(Verb::Get, "/health/live", Need::Open, |_| Ok(Call::Live)),
                Route::new(Verb::Get, "/health/ready", Need::Open, |_| Ok(Call::Ready)),
            ]
        }
    }

    async fn call<E: Environment>(context: &Context<'_, E>, call: Call) -> Result<Response, Problem> {
        match call {
            Call::Live => ops::live(context).await,
            Call::Ready => ops::ready(context).await,
        }
    }
}

#[spin_sdk::http_service]
async fn handle(request: Request) -> impl IntoResponse {
    leaderboard_spin::serve::<Ops>(request).await
}
