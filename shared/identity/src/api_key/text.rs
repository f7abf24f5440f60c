//! The text of a key: its tenant, so that one read finds its record; its id; its secret; and a checksum, so that a
//! typing error needs no read at all.

use leaderboard_core::TenantId;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::hex;

/// What every key starts with, so that tools which look for leaked secrets can find one.
pub const KEY_PREFIX: &str = "eb";

const ID_BYTES: usize = 8;
const SECRET_BYTES: usize = 24;
const CHECKSUM_BYTES: usize = 3;
/// Two digits for each byte, of the secret and its checksum.
const SECRET_CHARS: usize = 2 * SECRET_BYTES;

/// The name of a key: 16 hexadecimal digits. It is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; ID_BYTES]);

impl KeyId {
    /// Reads an id; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        hex::decode(text).map(Self)
    }

    /// An id made of a digest.
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

/// The SHA-256 of a key's secret: what is kept of it. A secret has 192 random bits, so it needs no slow hash.
#[derive(Clone, Copy)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// The digest's text, 64 hexadecimal digits.
    pub(super) fn to_text(self) -> String {
        hex::encode(&self.0)
    }

    /// Reads what [`SecretDigest::to_text`] has written.
    pub(super) fn parse(text: &str) -> Option<Self> {
        hex::decode(text).map(Self)
    }
}

/// In a time that does not depend on where the two differ.
impl PartialEq for SecretDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretDigest {}

/// Shows nothing.
impl std::fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretDigest")
    }
}

/// A whole key, to be shown once to whoever made it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeyText(String);

impl ApiKeyText {
    /// The key, secret and all.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Shows nothing.
impl std::fmt::Debug for ApiKeyText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKeyText")
    }
}

/// A key that has just been made.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// The key, to be shown once.
    pub text: ApiKeyText,
    /// Its id.
    pub id: KeyId,
    /// What to keep of its secret.
    pub digest: SecretDigest,
}

/// The text is not that of a key of this service: another kind of key, or a typing error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAKey;

impl std::fmt::Display for NotAKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the key is mistyped or none of this service")
    }
}

impl std::error::Error for NotAKey {}

/// A key as somebody sent it: well formed, and nothing more is known of it yet.
#[derive(Debug, Clone)]
pub struct ApiKey {
    tenant: TenantId,
    id: KeyId,
    digest: SecretDigest,
}

impl ApiKey {
    /// Makes a key of a tenant. The random bytes must be used for nothing else.
    #[must_use]
    pub fn generate(tenant: &TenantId, random: &[u8; 32]) -> NewApiKey {
        let (id, secret) = split(random);
        Self::write(tenant, KeyId(id), &secret)
    }

    /// Makes a new secret for the key of this id.
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

    /// Reads a key.
    ///
    /// # Errors
    /// [`NotAKey`] when a look-up could not find it either.
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        let rest = text.strip_prefix(KEY_PREFIX).ok_or(NotAKey)?;
        let rest = rest.strip_prefix('_').ok_or(NotAKey)?;
        // From the end: a tenant's id may have underscores, the other parts have none.
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

    /// Whose key it says it is.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Which key it says it is.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The digest of its secret.
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

/// The checksum says nothing of the secret that the key does not say itself.
fn checksum(body: &str) -> String {
    let digest = Sha256::digest(body);
    hex::encode(digest.get(..CHECKSUM_BYTES).unwrap_or_default())
}
