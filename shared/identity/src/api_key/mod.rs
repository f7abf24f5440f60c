//! API keys of servers: `eb_{tenant}_{id}_{secret}`. The service shows a key once and stores only a digest of its secret.

mod codec;
mod record;
mod settings;
mod text;

pub use record::{
    ApiKeyRecord, KeyRefusal, KeyRequest, MAX_FORMER_SECRETS, MAX_OVERLAP_S, MAX_REQUESTS, ReplacedSecret,
    TooManySecrets, is_within,
};
pub use settings::{KeySettings, MAX_ALLOWED_ADDRESSES, MAX_KEY_NAME_CHARS};
pub use text::{ApiKey, ApiKeyText, KEY_PREFIX, KeyId, NewApiKey, NotAKey, SecretDigest};
