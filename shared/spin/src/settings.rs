//! The component's variables, read once for each instance.
//!
//! Each read is a call of the host, and a new instance would make 17 of them. So the manifest puts all variables of a component
//! into one, as lines of the form `name=value`.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::str::FromStr;

use http::HeaderName;
use leaderboard_api::Deprecation;
use leaderboard_auth::{AuthSettings, PlayerTokens, Secret};
use leaderboard_core::{RegionName, TenantId, Timestamp};
use leaderboard_pipeline::{ForwardedHeader, Settings, TrustedProxies};
use spin_sdk::variables;

/// The default tenant of requests that do not name a tenant.
const DEFAULT_TENANT: &str = "default";

/// The name of a region whose operator gives it none.
const DEFAULT_REGION: &str = "default";

/// The variable that contains all others.
const SETTINGS: &str = "settings";

/// An invalid variable, described for the log of the operator.
#[derive(Debug, Clone)]
pub(crate) struct InvalidVariable(pub(crate) String);

/// The variables of a component of which no setting was made yet.
pub(crate) struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Reads all variables in one call of the host.
    ///
    /// # Errors
    /// The component has no [`SETTINGS`], or a value contains a line break.
    pub(crate) async fn read() -> Result<Self, InvalidVariable> {
        let text = variables::get(SETTINGS)
            .await
            .map_err(|error| InvalidVariable(format!("variable {SETTINGS}: {error}")))?;
        Self::parse(&text)
    }

    /// Parses lines of the form `name=value`. An error names the variable and not its value, which can be a secret.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidVariable> {
        let mut found = BTreeMap::new();
        let mut last = SETTINGS;
        for line in text.lines().filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once('=').ok_or_else(|| has_line_break(last))?;
            if found.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(has_line_break(last));
            }
            last = name;
        }
        Ok(Self(found))
    }

    /// Removes and returns a variable. The text is empty if the variable is empty or not granted.
    pub(crate) fn take(&mut self, name: &str) -> String {
        self.0.remove(name).unwrap_or_default()
    }

    /// Checks that a setting was made of each variable.
    ///
    /// # Errors
    /// A line has a name that is not a variable's, for example because the value before it contains a line break.
    pub(crate) fn check_all_taken(self) -> Result<(), InvalidVariable> {
        match self.0.into_keys().next() {
            None => Ok(()),
            Some(_) => Err(has_line_break(SETTINGS)),
        }
    }
}

fn has_line_break(name: &str) -> InvalidVariable {
    InvalidVariable(format!(
        "variable {name}: a value contains a line break, or a line has no known name"
    ))
}

/// Returns the settings of the pipeline. The component of the Redis trigger has no admin key and never compares it.
pub(crate) fn pipeline_settings(variables: &mut Variables) -> Result<Settings, InvalidVariable> {
    let admin_key = operator_key(variables, "admin_key")?;
    let metrics_key = operator_key(variables, "metrics_key")?;
    let default_tenant = TenantId::new(DEFAULT_TENANT)
        .map_err(|invalid| InvalidVariable(format!("default tenant: {invalid}")))?;
    let region = region_name(variables)?;
    let changes_channel = variables.take("changes_channel");
    let trusted_proxies = trusted_proxies(variables)?;
    let country_header = header_name(variables, "country_header")?;
    let secret = variables.take("player_token_secret");
    let before = variables.take("player_token_secret_before");
    let player_tokens = PlayerTokens::new(&secret, &before)
        .map_err(|what| InvalidVariable(format!("variable player_token_secret: {what}")))?;
    let cors_origins = parse(variables, "cors_origins")?;
    let cdn_key_headers = parse(variables, "cdn_key_headers")?;
    let private_webhook_hosts = private_webhook_hosts(variables)?;
    Ok(Settings {
        auth: AuthSettings {
            admin_key,
            metrics_key,
            player_tokens: player_tokens.map(Rc::new),
        },
        cdn_key_headers,
        private_webhook_hosts,
        trusted_proxies,
        default_tenant,
        region,
        country_header,
        cors_origins,
        changes_channel: (!changes_channel.is_empty()).then(|| changes_channel.into()),
        deprecation: deprecation(variables)?,
    })
}

/// Returns whether webhooks may name hosts of private networks.
fn private_webhook_hosts(variables: &mut Variables) -> Result<bool, InvalidVariable> {
    match variables.take("webhook_private_hosts").as_str() {
        "" | "refuse" => Ok(false),
        "allow" => Ok(true),
        _ => Err(InvalidVariable(
            "variable webhook_private_hosts: must be refuse or allow".to_owned(),
        )),
    }
}

/// Returns the name of the region.
fn region_name(variables: &mut Variables) -> Result<RegionName, InvalidVariable> {
    let given = variables.take("region");
    let name = if given.is_empty() { DEFAULT_REGION } else { &given };
    RegionName::new(name).map_err(|invalid| InvalidVariable(format!("variable region: {invalid}")))
}

/// Parses the value of a variable.
fn parse<T: FromStr<Err = String>>(variables: &mut Variables, name: &str) -> Result<T, InvalidVariable> {
    let parsed = variables.take(name).parse();
    parsed.map_err(|what| InvalidVariable(format!("variable {name}: {what}")))
}

/// Returns a key of the operator. A key that is too short is an error, so that the component does not start.
fn operator_key(variables: &mut Variables, name: &str) -> Result<Secret, InvalidVariable> {
    Secret::of_operator(&variables.take(name))
        .map_err(|what| InvalidVariable(format!("variable {name}: {what}")))
}

/// Returns which proxies are trusted, and which header they write.
pub(crate) fn trusted_proxies(variables: &mut Variables) -> Result<TrustedProxies, InvalidVariable> {
    let proxies: TrustedProxies = parse(variables, "trusted_proxies")?;
    let header: ForwardedHeader = parse(variables, "forwarded_header")?;
    Ok(proxies.writing(header))
}

/// Returns the request header that a variable names.
fn header_name(variables: &mut Variables, variable: &str) -> Result<Option<HeaderName>, InvalidVariable> {
    let name = variables.take(variable);
    if name.is_empty() {
        return Ok(None);
    }
    let parsed = HeaderName::from_bytes(name.as_bytes());
    parsed
        .map(Some)
        .map_err(|_| InvalidVariable(format!("variable {variable}: is not the name of a header")))
}

/// Returns when version 1 of the API was deprecated, which `v1_deprecated_at` sets.
fn deprecation(variables: &mut Variables) -> Result<Option<Deprecation>, InvalidVariable> {
    let since = instant(variables, "v1_deprecated_at")?;
    let sunset = instant(variables, "v1_sunset_at")?;
    let policy = variables.take("v1_deprecation_link");
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

/// Returns an optional instant (RFC 3339).
fn instant(variables: &mut Variables, name: &str) -> Result<Option<Timestamp>, InvalidVariable> {
    let text = variables.take(name);
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    Timestamp::parse(text)
        .map(Some)
        .map_err(|invalid| InvalidVariable(format!("variable {name}: {invalid}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_lines_and_a_value_may_contain_the_sign_between() {
        let mut variables = Variables::parse("\na=x=y\nb=\n\nc=z\n").unwrap_or_else(|_| panic!("malformed"));
        let values = ["a", "b", "c", "d"].map(|name| variables.take(name));
        assert_eq!(values, ["x=y", "", "z", ""]);
        assert!(variables.check_all_taken().is_ok());
    }

    #[test]
    fn a_line_break_in_a_value_is_an_error_that_shows_no_value() {
        for text in ["a=secret\nsecret", "a=1\nb=secret\na=secret"] {
            let error = Variables::parse(text).err().unwrap_or_else(|| panic!("accepted"));
            assert!(!error.0.contains("secret"), "{}", error.0);
        }
        let unknown = Variables::parse("a=1\nsecret=x").unwrap_or_else(|_| panic!("malformed"));
        assert!(
            unknown
                .check_all_taken()
                .is_err_and(|error| !error.0.contains("secret"))
        );
    }
}
