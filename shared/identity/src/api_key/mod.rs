//! API keys of servers: `eb_{tenant}_{id}_{secret}`, shown once, kept as a digest.

mod codec;
mod record;
mod text;

pub use record::{
    ApiKeyRecord, KeyRefusal, MAX_ALLOWED_ADDRESSES, MAX_KEY_NAME_CHARS, MAX_OVERLAP_S, Replaced,
};
pub use text::{ApiKey, ApiKeyText, KEY_PREFIX, KeyId, NewApiKey, NotAKey, SecretDigest};
