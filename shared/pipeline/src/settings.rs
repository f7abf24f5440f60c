//! The settings of the operator.

use std::rc::Rc;

use leaderboard_auth::AuthSettings;
use leaderboard_core::{RegionName, TenantId};

use crate::{CdnKeyHeaders, CorsOrigins, TrustedProxies};
use leaderboard_api::Deprecation;

/// The settings of the operator.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The credentials of the operator, and the keys of player tokens.
    pub auth: AuthSettings,
    /// The tenant of a request that does not name a tenant.
    pub default_tenant: TenantId,
    /// The name of this region.
    pub region: RegionName,
    /// The region's channel for announcements of changed leaderboards; `None` announces nothing.
    pub changes_channel: Option<Rc<str>>,
    /// The proxies that this service trusts to report a client's address.
    pub trusted_proxies: TrustedProxies,
    /// The request header in which a proxy reports the client's country; `None` if no proxy does.
    pub country_header: Option<http::HeaderName>,
    /// When version 1 of the API was deprecated; `None` if it is not deprecated.
    pub deprecation: Option<Deprecation>,
    /// The origins whose scripts can read responses.
    pub cors_origins: CorsOrigins,
    /// Whether webhooks may name hosts of private networks and of this machine, for development.
    pub private_webhook_hosts: bool,
    /// The request headers that are part of the CDN's cache key.
    pub cdn_key_headers: CdnKeyHeaders,
}
