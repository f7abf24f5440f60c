//! The text of a key. It contains the tenant, so that one read finds the record; the id; the secret; and a checksum, so that a
//! typing error is found without a read.

use leaderboard_core::TenantId;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::hex;

/// The prefix of every key, by which tools find leaked keys.
pub const KEY_PREFIX: &str = "eb";

const ID_BYTES: usize = 8;
const SECRET_BYTES: usize = 24;
const CHECKSUM_BYTES: usize = 3;
/// The number of characters of the secret with its checksum: two digits for each byte.
const SECRET_CHARS: usize = 2 * SECRET_BYTES;

/// The id of a key: 16 hexadecimal digits. It is public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; ID_BYTES]);

impl KeyId {
    /// Parses an id. Returns `None` for other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        hex::decode(text).map(Self)
    }

    /// Derives an id from a digest.
    #[must_use]
    pub fn of_digest(digest: &[u8; 16]) -> Self {
        Self(digest.first_chunk().copied().unwrap_or_default())
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

/// The SHA-256 of a key's secret, which is stored instead of the secret. A secret has 192 random bits, so it needs no slow hash.
#[derive(Clone, Copy)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// Returns the digest as text: 64 hexadecimal digits.
    pub(super) fn to_text(self) -> String {
        hex::encode(&self.0)
    }

    /// Parses the text that [`SecretDigest::to_text`] returns.
    pub(super) fn parse(text: &str) -> Option<Self> {
        hex::decode(text).map(Self)
    }
}

/// Compares in constant time.
impl PartialEq for SecretDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretDigest {}

/// Prints only the name of the type.
impl std::fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretDigest")
    }
}

/// The whole text of a key, which is shown once to its creator.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeyText(String);

impl ApiKeyText {
    /// Returns the text of the key, with the secret.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Prints only the name of the type.
impl std::fmt::Debug for ApiKeyText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKeyText")
    }
}

/// A new key, or a key with a new secret.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// The text of the key, which may be shown only once.
    pub text: ApiKeyText,
    /// The id of the key.
    pub id: KeyId,
    /// The digest of the secret, which is stored.
    pub digest: SecretDigest,
}

/// The text is not a key of this service: it is another kind of key, or has a typing error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key is mistyped or none of this service")]
pub struct NotAKey;

/// A well-formed key that a client sent. It has not been checked against a record.
#[derive(Debug, Clone)]
pub struct ApiKey {
    tenant: TenantId,
    id: KeyId,
    digest: SecretDigest,
}

impl ApiKey {
    /// Creates a key of a tenant. The caller must not use the random bytes for anything else.
    #[must_use]
    pub fn generate(tenant: &TenantId, random: &[u8; 32]) -> NewApiKey {
        let (id, secret) = split(random);
        Self::write(tenant, KeyId(id), &secret)
    }

    /// Creates a new secret for the key with this id.
    #[must_use]
    pub fn rotate(tenant: &TenantId, id: KeyId, random: &[u8; 32]) -> NewApiKey {
        Self::write(tenant, id, &split(random).1)
    }

    fn write(tenant: &TenantId, id: KeyId, secret: &[u8; SECRET_BYTES]) -> NewApiKey {
        let secret = hex::encode(secret);
        let body = format!("{KEY_PREFIX}_{tenant}_{id}_{secret}");
        let sum = checksum(&body);
        NewApiKey {
            text: ApiKeyText(body + &sum),
            id,
            digest: SecretDigest::of(&secret),
        }
    }

    /// Parses a key.
    ///
    /// # Errors
    /// [`NotAKey`] if the text cannot be a key of this service.
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        let rest = text.strip_prefix(KEY_PREFIX).ok_or(NotAKey)?;
        let rest = rest.strip_prefix('_').ok_or(NotAKey)?;
        // The text is split from its end, because only the tenant's id may contain underscores.
        let (rest, secret) = rest.rsplit_once('_').ok_or(NotAKey)?;
        let (tenant, id) = rest.rsplit_once('_').ok_or(NotAKey)?;
        let (secret, sum) = secret.split_at_checked(SECRET_CHARS).ok_or(NotAKey)?;
        let body = text.strip_suffix(sum).ok_or(NotAKey)?;
        if hex::decode::<SECRET_BYTES>(secret).is_none() || checksum(body) != sum {
            return Err(NotAKey);
        }
        Ok(Self {
            tenant: TenantId::new(tenant).map_err(|_| NotAKey)?,
            id: KeyId::parse(id).ok_or(NotAKey)?,
            digest: SecretDigest::of(secret),
        })
    }

    /// Returns the tenant in the text.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Returns the id in the text.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Returns the digest of the secret.
    #[must_use]
    pub fn digest(&self) -> SecretDigest {
        self.digest
    }
}

fn split(random: &[u8; 32]) -> ([u8; ID_BYTES], [u8; SECRET_BYTES]) {
    let (mut id, mut secret) = ([0; ID_BYTES], [0; SECRET_BYTES]);
    let (first, second) = random.split_at(ID_BYTES);
    id.copy_from_slice(first);
    secret.copy_from_slice(second);
    (id, secret)
}

/// Computes the checksum of the text before it.
fn checksum(body: &str) -> String {
    let digest = Sha256::digest(body);
    hex::encode(digest.get(..CHECKSUM_BYTES).unwrap_or_default())
}
