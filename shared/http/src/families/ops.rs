//! Health, and a clear answer on routes that are nobody else's.

use crate::handlers::ops;
use crate::{Context, Endpoint, Environment, Family, Need, Problem, Response, Route, RouteTable, Verb};

/// A call of this family, its parameters parsed.
#[derive(Debug)]
pub enum Call {
    Live,
    Ready,
}

/// The family.
#[derive(Debug)]
pub struct Ops;

impl Endpoint for Ops {
    type Route = Call;

    const FAMILY: Family = Family::Ops;

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
