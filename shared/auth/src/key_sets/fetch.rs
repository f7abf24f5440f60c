//! Fetching a key set from its issuer.

use bytes::Bytes;
use leaderboard_environment::{Fetch, FetchError};
use leaderboard_identity::token::{
    Discovery, Hosts, KeyOrigin, KeySet, MAX_DISCOVERY_BYTES, MAX_KEY_SET_BYTES, discovery_url,
};

use super::{KeySetLocation, KeySetSource};
use crate::AuthEnvironment;

/// Fetches a set. The text of an error does not reveal anything about the network of this service.
pub(super) async fn fetch_set<E: AuthEnvironment>(
    env: &E,
    source: &KeySetSource,
) -> Result<(Vec<u8>, KeySet), String> {
    let url = match &source.location {
        KeySetLocation::Address(url) => url.clone(),
        KeySetLocation::Discovery(issuer) => {
            let url = discovery_url(issuer, Hosts::Any)
                .map_err(|_| "The issuer is no address that has a discovery document.".to_owned())?;
            let document = fetch_document(env, &url, MAX_DISCOVERY_BYTES).await?;
            let discovery = Discovery::parse(&document, issuer);
            discovery
                .map_err(|_| format!("{url} is no discovery document of this issuer."))?
                .jwks_uri
        }
    };
    let json = fetch_document(env, &url, MAX_KEY_SET_BYTES).await?;
    let keys = KeySet::parse(&json, KeyOrigin::Published);
    let keys = keys.map_err(|_| format!("{url} is no key set with a key that can be used."))?;
    Ok((json.to_vec(), keys))
}

async fn fetch_document<E: AuthEnvironment>(env: &E, url: &str, max_bytes: usize) -> Result<Bytes, String> {
    env.fetch()
        .get(url, max_bytes)
        .await
        .map_err(|error| match error {
            FetchError::NotGranted => {
                format!(
                    "The operator does not let this service ask {url}: its host is not one of issuer_hosts."
                )
            }
            FetchError::Unusable(what) => format!("{url} {what}."),
            FetchError::Unreachable(_) | FetchError::Prohibited => format!("{url} cannot be reached."),
        })
}
