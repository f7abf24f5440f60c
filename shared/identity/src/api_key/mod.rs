//! API keys of servers: `eb_{tenant}_{id}_{secret}`, shown once, kept as a digest.

mod codec;
mod record;
mod text;

pub use record::{
    ApiKeyRecord, KeyRefusal, KeyRequest, MAX_ALLOWED_ADDRESSES, MAX_FORMER_SECRETS, MAX_KEY_NAME_CHARS,
    MAX_OVERLAP_S, MAX_REQUESTS, Replaced, TooManySecrets, is_within,
};
pub use text::{ApiKey, ApiKeyText, KEY_PREFIX, KeyId, NewApiKey, NotAKey, SecretDigest};
