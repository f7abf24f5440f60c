//! Discovery documents of issuers (OpenID Connect Discovery 1.0), and the addresses that may be fetched.

use serde::Deserialize;

use super::public_hosts::is_public;

/// The longest discovery document, in bytes.
pub const MAX_DISCOVERY_BYTES: usize = 64 * 1024;
/// The longest address, in bytes.
pub const MAX_URL_BYTES: usize = 512;

const WELL_KNOWN: &str = "/.well-known/openid-configuration";
/// Hosts that may be fetched without encryption, because such a request does not leave the machine.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// The hosts that an address may name. This crate does not resolve names; the grants of the host decide which resolved hosts are
/// allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hosts {
    /// All hosts, for the operator.
    Any,
    /// Public hosts over `https`, for all documents other than the operator's: no host on this machine or in a private network.
    Public,
}

impl Hosts {
    /// Returns the hosts that the document of an issuer may name. A public issuer may not name a private host.
    fn led_to_by(issuer: &str) -> Self {
        match checked_url(issuer, Self::Public) {
            Err(DocumentProblem::Private) => Self::Any,
            _ => Self::Public,
        }
    }
}

/// Why a document of an issuer cannot be used. The displayed text is safe to show to an administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentProblem {
    /// The document has too many bytes or too many keys.
    #[error("is too large")]
    TooLarge,
    /// The text is not a document of the expected kind.
    #[error("is not a document of this kind")]
    Malformed,
    /// The document has no key that can be used.
    #[error("has no key that can be used")]
    NoKey,
    /// The document belongs to another issuer.
    #[error("is the document of another issuer")]
    WrongIssuer,
    /// An address is neither `https` nor `http` on this machine.
    #[error("must be an https address (http only on this machine) without user, query and fragment")]
    Address,
    /// An address is on this machine, in a private network or without encryption, although only public addresses are allowed.
    #[error("must be an https address of a public host; others are for the operator's key to set")]
    Private,
}

/// The part of a discovery document that this crate uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// The address of the key set.
    pub jwks_uri: String,
}

#[derive(Deserialize)]
struct DiscoveryDocument {
    issuer: String,
    jwks_uri: String,
}

impl Discovery {
    /// Parses the document of `issuer`. The issuer in the document must be equal to `issuer` byte for byte.
    ///
    /// # Errors
    /// [`DocumentProblem`] if the document is too large, malformed, of another issuer, or names an address that may not be
    /// fetched.
    pub fn parse(json: &[u8], issuer: &str) -> Result<Self, DocumentProblem> {
        if json.len() > MAX_DISCOVERY_BYTES {
            return Err(DocumentProblem::TooLarge);
        }
        let document: DiscoveryDocument =
            serde_json::from_slice(json).map_err(|_| DocumentProblem::Malformed)?;
        if document.issuer != issuer {
            return Err(DocumentProblem::WrongIssuer);
        }
        checked_url(&document.jwks_uri, Hosts::led_to_by(issuer))?;
        let jwks_uri = document.jwks_uri;
        Ok(Self { jwks_uri })
    }
}

/// Returns the address of an issuer's discovery document (OpenID Connect Discovery 1.0, section 4).
///
/// # Errors
/// [`DocumentProblem::Address`] or [`DocumentProblem::Private`] if the issuer is not an address that may be fetched.
pub fn discovery_url(issuer: &str, hosts: Hosts) -> Result<String, DocumentProblem> {
    checked_url(issuer, hosts)?;
    if issuer.contains('?') {
        return Err(DocumentProblem::Address);
    }
    Ok(format!("{}{WELL_KNOWN}", issuer.trim_end_matches('/')))
}

/// Checks that an address may be fetched: its scheme is `https`, or `http` on this machine; its host is one of `hosts`; it has no
/// user and no fragment.
///
/// # Errors
/// [`DocumentProblem::Address`], [`DocumentProblem::Private`].
pub fn checked_url(url: &str, hosts: Hosts) -> Result<(), DocumentProblem> {
    let plain =
        |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'#' | b'@');
    if url.len() > MAX_URL_BYTES || !url.bytes().all(plain) {
        return Err(DocumentProblem::Address);
    }
    let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Err(DocumentProblem::Address),
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        // The colons of an IPv6 address are inside of brackets.
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let port_fits = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0));
    let bracketed = host.starts_with('[') && host.ends_with(']');
    let host_fits = !host.is_empty() && (bracketed || !host.contains([':', '[', ']']));
    if !port_fits || !host_fits {
        return Err(DocumentProblem::Address);
    }
    if hosts == Hosts::Public && !(secure && is_public(host)) {
        return Err(DocumentProblem::Private);
    }
    if secure || LOOPBACK.contains(&host) {
        Ok(())
    } else {
        Err(DocumentProblem::Address)
    }
}
