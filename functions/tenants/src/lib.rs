//! Tenants: what the operator sets for each, what each uses, and the audit log.

use leaderboard_http::families::Tenants;

leaderboard_spin::http_function!(leaderboard_spin::serve::<Tenants>);
