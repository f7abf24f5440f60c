//! What the operator has set.

use std::rc::Rc;

use leaderboard_auth::AuthSettings;
use leaderboard_core::TenantId;

use crate::{CdnKeyHeaders, CorsOrigins, TrustedProxies};
use leaderboard_api::Deprecation;

/// What the operator has set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The credentials of the operator, and the keys of player tokens.
    pub auth: AuthSettings,
    /// The tenant of a request that names none.
    pub default_tenant: TenantId,
    /// The region's channel on which changed leaderboards are announced; `None`: nowhere.
    pub changes_channel: Option<Rc<str>>,
    /// The proxies whose word about a client's address is taken.
    pub trusted_proxies: TrustedProxies,
    /// The request header in which a proxy tells the client's country; `None`: nobody tells.
    pub country_header: Option<http::HeaderName>,
    /// That version 1 of the API is deprecated.
    pub deprecation: Option<Deprecation>,
    /// The origins whose scripts may read answers.
    pub cors_origins: CorsOrigins,
    /// The request headers that the CDN in front has in its cache key.
    pub cdn_key_headers: CdnKeyHeaders,
}
