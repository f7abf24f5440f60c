//! Health, metrics, and a clear answer on routes that are nobody else's.

use crate::handlers::{health, metrics, ops};
use crate::{Context, Endpoint, Environment, Need, Route, RouteTable, Verb};
use leaderboard_api::{FunctionName, Problem, Response};

/// A call of this family, its parameters parsed.
#[derive(Debug)]
pub enum Call {
    Start,
    Live,
    Ready,
    Detailed,
    Metrics,
}

/// The family.
#[derive(Debug)]
pub struct Ops;

impl Endpoint for Ops {
    type Route = Call;

    const FAMILY: FunctionName = FunctionName::Ops;

    fn table() -> RouteTable<Call> {
        const {
            &[
                Route::new(Verb::Get, "/", Need::Open, |_| Ok(Call::Start)).at_root(),
                Route::new(Verb::Get, "/health/live", Need::Open, |_| Ok(Call::Live))
                    .also_at_root()
                    .from_anywhere(),
                Route::new(Verb::Get, "/health/ready", Need::Open, |_| Ok(Call::Ready))
                    .also_at_root()
                    .from_anywhere(),
                Route::new(Verb::Get, "/health/detailed", Need::Operator, |_| {
                    Ok(Call::Detailed)
                })
                .also_at_root()
                .offering(health::HEALTH_JSON),
                Route::new(Verb::Get, "/metrics", Need::MetricsKey, |_| Ok(Call::Metrics))
                    .also_at_root()
                    .offering("text/plain"),
            ]
        }
    }

    async fn call<E: Environment>(context: &Context<'_, E>, call: Call) -> Result<Response, Problem> {
        match call {
            Call::Start => ops::start(context),
            Call::Live => ops::live(context).await,
            Call::Ready => ops::ready(context).await,
            Call::Detailed => health::detailed(context).await,
            Call::Metrics => metrics::show(context).await,
        }
    }
}
