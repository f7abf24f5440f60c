//! The component's variables, read once for each instance.

use std::rc::Rc;

use http::HeaderName;
use leaderboard_api::Deprecation;
use leaderboard_auth::{AuthSettings, PlayerTokens, Secret};
use leaderboard_core::{TenantId, Timestamp};
use leaderboard_pipeline::{
    ForwardedHeader, InvalidKeyHeaders, InvalidOrigins, InvalidProxies, Settings, TrustedProxies,
};
use spin_sdk::variables::{self, Error};

/// The default tenant of requests that do not name a tenant.
const DEFAULT_TENANT: &str = "default";

/// The store that the variables select. It is not `Debug`, because an address can contain a password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum StoreChoice {
    /// The built-in SQLite, if `redis_url` is not set.
    Embedded,
    /// Redis at this address.
    Redis(String),
}

/// An invalid variable, described for the log of the operator.
#[derive(Debug, Clone)]
pub(crate) struct InvalidVariable(pub(crate) String);

/// Reads an optional variable. The text is empty if the variable is empty, not set or not granted.
async fn read_optional_variable(name: &str) -> Result<String, InvalidVariable> {
    match variables::get(name).await {
        Ok(value) => Ok(value),
        Err(Error::Undefined(_)) => Ok(String::new()),
        Err(error) => Err(InvalidVariable(format!("variable {name}: {error}"))),
    }
}

/// Reads which store this instance uses.
pub(crate) async fn store_choice() -> Result<StoreChoice, InvalidVariable> {
    let url = read_optional_variable("redis_url").await?;
    let url = url.trim().trim_end_matches('/');
    if url.is_empty() {
        return Ok(StoreChoice::Embedded);
    }
    let (scheme, host) = url
        .split_once("://")
        .filter(|(scheme, _)| matches!(*scheme, "redis" | "rediss"))
        .ok_or_else(|| invalid("must be redis://host:port or rediss://host:port"))?;
    if host.contains(',') {
        return Err(invalid("names several addresses; give one"));
    }
    if host.contains('@') {
        return Err(invalid(
            "must not hold credentials; use redis_username and redis_password",
        ));
    }
    if host.contains('/') {
        return Err(invalid("must not hold a database number; use redis_database"));
    }
    let user = encoded(&read_optional_variable("redis_username").await?);
    let password = encoded(&read_optional_variable("redis_password").await?);
    let database = read_optional_variable("redis_database").await?;
    let credentials = if user.is_empty() && password.is_empty() {
        String::new()
    } else {
        format!("{user}:{password}@")
    };
    Ok(StoreChoice::Redis(format!(
        "{scheme}://{credentials}{host}/{database}"
    )))
}

fn invalid(what: &str) -> InvalidVariable {
    InvalidVariable(format!("variable redis_url: {what}"))
}

/// Percent-encodes a text for the userinfo part of a URL (RFC 3986, section 3.2.1).
fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Reads the settings of the pipeline. The component of the Redis trigger has no admin key and never compares it.
pub(crate) async fn pipeline_settings() -> Result<Settings, InvalidVariable> {
    let admin_key = key("admin_key").await?;
    let metrics_key = key("metrics_key").await?;
    let default_tenant = TenantId::new(DEFAULT_TENANT)
        .map_err(|invalid| InvalidVariable(format!("default tenant: {invalid}")))?;
    let changes_channel = read_optional_variable("changes_channel").await?;
    let trusted_proxies = trusted_proxies().await?;
    let country_header = header_name("country_header").await?;
    let secret = read_optional_variable("player_token_secret").await?;
    let before = read_optional_variable("player_token_secret_before").await?;
    let player_tokens = PlayerTokens::new(&secret, &before)
        .map_err(|what| InvalidVariable(format!("variable player_token_secret: {what}")))?;
    let cors_origins = read_optional_variable("cors_origins").await?;
    let cors_origins = cors_origins
        .parse()
        .map_err(|InvalidOrigins(what)| InvalidVariable(format!("variable cors_origins: {what}")))?;
    let cdn_key_headers = read_optional_variable("cdn_key_headers").await?;
    let cdn_key_headers = cdn_key_headers
        .parse()
        .map_err(|InvalidKeyHeaders(what)| InvalidVariable(format!("variable cdn_key_headers: {what}")))?;
    Ok(Settings {
        auth: AuthSettings {
            admin_key,
            metrics_key,
            player_tokens: player_tokens.map(Rc::new),
        },
        cdn_key_headers,
        trusted_proxies,
        default_tenant,
        country_header,
        cors_origins,
        changes_channel: (!changes_channel.is_empty()).then(|| changes_channel.into()),
        deprecation: deprecation().await?,
    })
}

/// Reads a key of the operator. A key that is too short is an error, so that the component does not start.
async fn key(name: &str) -> Result<Secret, InvalidVariable> {
    Secret::of_operator(&read_optional_variable(name).await?)
        .map_err(|what| InvalidVariable(format!("variable {name}: {what}")))
}

/// Reads which proxies are trusted, and which header they write.
pub(crate) async fn trusted_proxies() -> Result<TrustedProxies, InvalidVariable> {
    let invalid =
        |name: &'static str| move |InvalidProxies(what)| InvalidVariable(format!("variable {name}: {what}"));
    let proxies = read_optional_variable("trusted_proxies").await?;
    let proxies: TrustedProxies = proxies.parse().map_err(invalid("trusted_proxies"))?;
    let header = read_optional_variable("forwarded_header").await?;
    let header: ForwardedHeader = header.parse().map_err(invalid("forwarded_header"))?;
    Ok(proxies.writing(header))
}

/// Reads a variable that names a request header.
async fn header_name(variable: &str) -> Result<Option<HeaderName>, InvalidVariable> {
    let name = read_optional_variable(variable).await?;
    if name.is_empty() {
        return Ok(None);
    }
    let parsed = HeaderName::from_bytes(name.as_bytes());
    parsed
        .map(Some)
        .map_err(|_| InvalidVariable(format!("variable {variable}: is not the name of a header")))
}

/// Returns when version 1 of the API was deprecated, which `v1_deprecated_at` sets.
async fn deprecation() -> Result<Option<Deprecation>, InvalidVariable> {
    let since = instant("v1_deprecated_at").await?;
    let sunset = instant("v1_sunset_at").await?;
    let policy = read_optional_variable("v1_deprecation_link").await?;
    let policy = Some(policy.trim()).filter(|policy| !policy.is_empty());
    let Some(since) = since else {
        return Ok(None);
    };
    match Deprecation::new(since, sunset, policy) {
        None => Err(InvalidVariable(
            "variables v1_deprecated_at, v1_sunset_at, v1_deprecation_link: not what a header can say"
                .to_owned(),
        )),
        deprecation => Ok(deprecation),
    }
}

/// Reads an optional instant (RFC 3339).
async fn instant(name: &str) -> Result<Option<Timestamp>, InvalidVariable> {
    let text = read_optional_variable(name).await?;
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    Timestamp::parse(text)
        .map(Some)
        .map_err(|invalid| InvalidVariable(format!("variable {name}: {invalid}")))
}
