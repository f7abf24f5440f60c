//! Tenants: what the operator sets for each, what each uses, and the audit log.

use leaderboard_tenants_function::TenantsFunction;

leaderboard_spin::http_function!(leaderboard_spin::serve::<TenantsFunction>);
