//! The scheme, host and port of an outbound address.

use std::fmt;

use url::Url;

/// An address that a component requests.
#[derive(Debug)]
pub(crate) struct Address {
    pub(super) scheme: String,
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

impl Address {
    /// Parses `url`. If it has no host, parses it again with `scheme://` before it.
    ///
    /// # Errors
    /// The text is not an address. The error does not contain the text, which can contain a password.
    pub(crate) fn parse(url: &str, scheme: &str) -> Result<Self, String> {
        let text = escape_user_info(url);
        let parsed = match Url::parse(&text) {
            Ok(parsed) if parsed.has_host() => parsed,
            _ => Url::parse(&format!("{scheme}://{text}")).map_err(|error| error.to_string())?,
        };
        Ok(Self {
            scheme: parsed.scheme().to_owned(),
            host: parsed.host_str().ok_or("an address without a host")?.to_owned(),
            port: parsed.port(),
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Encodes the user information of a URL, because a password can contain characters that are not allowed in a
/// URL. Nothing reads the encoded text, so any encoding is correct.
fn escape_user_info(url: &str) -> String {
    let start = url.find("://").map_or(0, |at| at + "://".len());
    let rest = url.get(start..).unwrap_or("");
    match rest.split_once('@') {
        Some((user, host)) if !user.contains('/') => {
            let escaped: String = url::form_urlencoded::byte_serialize(user.as_bytes()).collect();
            format!("{}{escaped}@{host}", url.get(..start).unwrap_or(""))
        }
        _ => url.to_owned(),
    }
}
