//! A cache entry: a finished body with everything that a hit needs, and its format in the key-value store.

use std::cell::OnceCell;

use bytes::Bytes;
use flate2::Crc;
use http::HeaderValue;
use leaderboard_core::codec::{Malformed, Reader, Writer};
use leaderboard_core::{MAX_LIFETIME_MS, MAX_STALE_IF_ERROR_MS, MAX_STALE_MS, Timestamp};

use super::cache_key::leaderboard_scope;
use leaderboard_cache::freshness::Lifetime;
use leaderboard_pipeline::Coding;

/// The version of the format. Bytes of another version are ignored, and the entry is fetched again.
const FORMAT_VERSION: u64 = 3;
/// How many bytes the checksum at the end has.
const SUM_BYTES: usize = 4;

/// A cached body with its metadata and headers.
#[derive(Debug)]
pub struct CacheEntry {
    /// What the cache needs to decide about the entry.
    pub metadata: CacheMetadata,
    /// The body without a content coding.
    pub body: Bytes,
    gzip: OnceCell<Bytes>,
    /// `CDN-Cache-Control` (RFC 9213).
    pub cdn_cache_control: HeaderValue,
    /// `CDN-Cache-Control` while the leaderboard is changing.
    pub cdn_cache_control_while_changing: HeaderValue,
    /// `Cache-Groups` (RFC 9875): the tenant, and the leaderboard.
    pub cache_groups: HeaderValue,
    /// The ETags of the body without a coding, and with gzip.
    etags: [HeaderValue; 2],
}

/// What the cache needs to know about an entry except its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheMetadata {
    /// The text of the entry's cache key.
    pub key_text: Box<str>,
    /// The instant just before the store was asked: the body contains every change before it, and perhaps later ones.
    pub fetched_at: Timestamp,
    /// How long the fetch took, in milliseconds.
    pub cost_ms: u32,
    /// The leaderboard's `cache.lifetime_ms`.
    pub lifetime_ms: u32,
    /// The leaderboard's `cache.stale_ms`.
    pub stale_ms: u32,
    /// The leaderboard's `cache.stale_if_error_ms`.
    pub stale_if_error_ms: u32,
    /// Whether a reader fetches the entry again shortly before its lifetime ends (refresh ahead).
    pub refresh_ahead: bool,
    /// When the body stops being correct for the key, even within its lifetime: another period begins, or this period is deleted.
    pub expires_at: Option<Timestamp>,
    /// Whether a caller without a credential may read the entry.
    pub public: bool,
    /// The version and a digest of the body. The text has no quotes and names no coding.
    pub etag: Box<str>,
}

impl CacheMetadata {
    /// Returns how long the entry may be used according to the leaderboard's configuration.
    pub fn lifetime(&self) -> Lifetime {
        Lifetime {
            fresh_ms: self.lifetime_ms.into(),
            stale_while_revalidate_ms: self.stale_ms.into(),
            stale_if_error_ms: self.stale_if_error_ms.into(),
        }
    }
}

impl CacheEntry {
    /// Returns the entry, or `None` if the key or ETag is not a valid header value; keys and ETags that this crate makes always
    /// are.
    pub fn new(metadata: CacheMetadata, body: Bytes) -> Option<Self> {
        let span = metadata.expires_at.map_or(i64::MAX, |until| {
            (until.as_unix_ms() - metadata.fetched_at.as_unix_ms()).max(0)
        });
        let fresh_ms = i64::from(metadata.lifetime_ms).min(span);
        let after = |ms: u32| ((i64::from(metadata.lifetime_ms) + i64::from(ms)).min(span) - fresh_ms) / 1000;
        let stale_if_error = after(metadata.stale_if_error_ms);
        let cdn_cache_control = format!(
            "max-age={}, stale-while-revalidate={}, stale-if-error={stale_if_error}",
            fresh_ms / 1000,
            after(metadata.stale_ms),
        );
        let cdn_cache_control_while_changing = format!("max-age=0, stale-if-error={stale_if_error}");
        let group = leaderboard_scope(&metadata.key_text).replace(':', "/");
        let tenant = group.split('/').next().unwrap_or_default();
        let etag =
            |coding: Coding| HeaderValue::from_str(&format!("\"{}{}\"", metadata.etag, coding.tag())).ok();
        Some(Self {
            cdn_cache_control: HeaderValue::from_str(&cdn_cache_control).ok()?,
            cdn_cache_control_while_changing: HeaderValue::from_str(&cdn_cache_control_while_changing)
                .ok()?,
            cache_groups: HeaderValue::from_str(&format!("\"{tenant}\", \"{group}\"")).ok()?,
            etags: [etag(Coding::Identity)?, etag(Coding::Gzip)?],
            metadata,
            body,
            gzip: OnceCell::new(),
        })
    }

    /// Returns the ETag of the body in a coding.
    pub fn etag(&self, coding: Coding) -> &HeaderValue {
        let [identity, gzip] = &self.etags;
        match coding {
            Coding::Identity => identity,
            Coding::Gzip => gzip,
        }
    }

    /// Returns the body in a coding, and whether this call encoded the body. The entry keeps the encoded body.
    pub fn encode_body(&self, coding: Coding) -> (Bytes, bool) {
        if coding == Coding::Identity {
            return (self.body.clone(), false);
        }
        let new = self.gzip.get().is_none();
        let encoded = self.gzip.get_or_init(|| coding.encode(&self.body));
        (encoded.clone(), new)
    }

    /// Returns how many bytes the entry takes in memory, approximately. The result is the same before and after the body is
    /// encoded.
    pub fn size(&self) -> usize {
        2 * self.body.len() + 2 * self.metadata.key_text.len() + 512
    }

    /// Returns the bytes for the key-value store.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.unsigned(FORMAT_VERSION);
        w.text(&self.metadata.key_text);
        w.timestamp(self.metadata.fetched_at);
        w.unsigned(self.metadata.cost_ms.into());
        w.unsigned(self.metadata.lifetime_ms.into());
        w.unsigned(self.metadata.stale_ms.into());
        w.unsigned(self.metadata.stale_if_error_ms.into());
        w.byte(self.metadata.refresh_ahead.into());
        w.option(self.metadata.expires_at, Writer::timestamp);
        w.byte(self.metadata.public.into());
        w.text(&self.metadata.etag);
        w.bytes(&self.body);
        w.option(self.gzip.get(), |w, body| w.bytes(body));
        let mut bytes = w.finish();
        bytes.extend_from_slice(&checksum(&bytes));
        bytes
    }

    /// Reads an entry. Returns `None` for bytes of another format or version, and for damaged bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::read(bytes).ok().flatten()
    }

    fn read(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        let Some((record, sum)) = bytes.split_last_chunk::<SUM_BYTES>() else {
            return Ok(None);
        };
        let mut r = Reader::new(record);
        if *sum != checksum(record) || r.unsigned()? != FORMAT_VERSION {
            return Ok(None);
        }
        let number = |r: &mut Reader<'_>| u32::try_from(r.unsigned()?).map_err(|_| Malformed("entry"));
        let metadata = CacheMetadata {
            key_text: r.text()?.into(),
            fetched_at: r.timestamp()?,
            cost_ms: number(&mut r)?,
            lifetime_ms: number(&mut r)?.min(MAX_LIFETIME_MS),
            stale_ms: number(&mut r)?.min(MAX_STALE_MS),
            stale_if_error_ms: number(&mut r)?.min(MAX_STALE_IF_ERROR_MS),
            refresh_ahead: r.flag()?,
            expires_at: r.option(Reader::timestamp)?,
            public: r.flag()?,
            etag: r.text()?.into(),
        };
        let body = Bytes::copy_from_slice(r.bytes()?);
        let gzip = r.option(|r| r.bytes().map(Bytes::copy_from_slice))?;
        r.end()?;
        let Some(entry) = Self::new(metadata, body) else {
            return Ok(None);
        };
        // Setting cannot fail, since the entry is new.
        gzip.map(|body| entry.gzip.set(body));
        Ok(Some(entry))
    }
}

/// Returns the CRC-32 of the bytes. The CRC-32 detects damage by a disk, an unfinished write, and every change of up to four
/// adjacent bytes.
fn checksum(bytes: &[u8]) -> [u8; SUM_BYTES] {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum().to_be_bytes()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn metadata() -> CacheMetadata {
        CacheMetadata {
            key_text: "acme:goals:application/json:list:10\n".into(),
            fetched_at: Timestamp::parse("2026-07-19T21:04:00Z").unwrap(),
            cost_ms: 3,
            lifetime_ms: 5_000,
            stale_ms: 2_500,
            stale_if_error_ms: 300_000,
            refresh_ahead: true,
            expires_at: Timestamp::parse("2026-07-20T00:00:00Z").ok(),
            public: true,
            etag: "17-abc".into(),
        }
    }

    pub(crate) fn entry(metadata: CacheMetadata) -> CacheEntry {
        CacheEntry::new(metadata, Bytes::from("x".repeat(5_000))).unwrap()
    }

    #[test]
    fn an_entry_is_read_back_with_its_encoded_bodies() {
        let made = entry(metadata());
        let (gzip, new) = made.encode_body(Coding::Gzip);
        assert!(new && gzip.len() < 200);
        let read = CacheEntry::from_bytes(&made.to_bytes()).unwrap();
        assert_eq!((&read.metadata, &read.body), (&made.metadata, &made.body));
        assert_eq!(read.encode_body(Coding::Gzip), (gzip, false));
        assert_eq!(read.etag(Coding::Gzip), "\"17-abc-g\"");
        assert_eq!(read.cache_groups, "\"acme\", \"acme/goals\"");
        assert_eq!(
            read.cdn_cache_control,
            "max-age=5, stale-while-revalidate=2, stale-if-error=300"
        );
    }

    #[test]
    fn cdn_lifetimes_end_with_the_period() {
        let cdn_lifetimes = |after_ms| {
            let expires_at = Some(metadata().fetched_at.saturating_add_ms(after_ms));
            let entry = entry(CacheMetadata {
                expires_at,
                ..metadata()
            });
            entry.cdn_cache_control.to_str().unwrap().to_owned()
        };
        assert_eq!(
            cdn_lifetimes(3_000),
            "max-age=3, stale-while-revalidate=0, stale-if-error=0"
        );
        assert_eq!(
            cdn_lifetimes(6_000),
            "max-age=5, stale-while-revalidate=1, stale-if-error=1"
        );
        assert_eq!(
            cdn_lifetimes(-1),
            "max-age=0, stale-while-revalidate=0, stale-if-error=0"
        );
    }

    #[test]
    fn lifetimes_are_at_most_what_a_configuration_allows() {
        let read = CacheEntry::from_bytes(
            &entry(CacheMetadata {
                lifetime_ms: u32::MAX,
                stale_ms: u32::MAX,
                stale_if_error_ms: u32::MAX,
                ..metadata()
            })
            .to_bytes(),
        )
        .unwrap();
        let CacheMetadata {
            lifetime_ms,
            stale_ms,
            stale_if_error_ms,
            ..
        } = read.metadata;
        assert_eq!(
            (lifetime_ms, stale_ms, stale_if_error_ms),
            (MAX_LIFETIME_MS, MAX_STALE_MS, MAX_STALE_IF_ERROR_MS)
        );
    }

    #[test]
    fn damaged_bytes_are_no_entry() {
        let bytes = entry(metadata()).to_bytes();
        for cut in 0..bytes.len() {
            assert!(CacheEntry::from_bytes(&bytes[..cut]).is_none(), "{cut}");
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert!(CacheEntry::from_bytes(&damaged).is_none(), "{at}");
        }
        let mut older = bytes[..bytes.len() - SUM_BYTES].to_vec();
        older[0] = 1;
        older.extend(checksum(&older));
        assert!(CacheEntry::from_bytes(&older).is_none());
        assert!(CacheEntry::from_bytes(&[bytes.as_slice(), b"x"].concat()).is_none());
    }
}
