//! A finished answer and all that a hit needs to know, and its form in the region's store.

use std::cell::OnceCell;

use bytes::Bytes;
use flate2::Crc;
use http::HeaderValue;
use leaderboard_core::codec::{Malformed, Reader, Writer};
use leaderboard_core::{MAX_LIFETIME_MS, MAX_STALE_IF_ERROR_MS, MAX_STALE_MS, Timestamp};

use super::cache_key::place_of;
use leaderboard_pipeline::Coding;

/// The form below; bytes of another form are ignored and fetched again.
const FORM: u64 = 2;
/// The bytes of the checksum at the end.
const SUM_BYTES: usize = 4;

/// A finished answer.
#[derive(Debug)]
pub struct CacheEntry {
    pub metadata: CacheMetadata,
    /// The body without a coding.
    pub body: Bytes,
    gzip: OnceCell<Bytes>,
    brotli: OnceCell<Bytes>,
    /// What CDNs are told, beside its age.
    pub cdn: HeaderValue,
    /// What they are told while the leaderboard changes.
    pub cdn_changing: HeaderValue,
    /// What it is dropped with.
    pub groups: HeaderValue,
    tags: [HeaderValue; 3],
}

/// What is known of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheMetadata {
    /// What it answers.
    pub name: Box<str>,
    /// The instant before the store was request: no change after it counts as seen.
    pub made_at: Timestamp,
    /// How long it took, in milliseconds.
    pub cost_ms: u32,
    /// The leaderboard's `cache.lifetime_ms`.
    pub lifetime_ms: u32,
    /// Its `cache.stale_ms`.
    pub stale_ms: u32,
    /// Its `cache.stale_if_error_ms`.
    pub stale_if_error_ms: u32,
    /// Whether a reader makes it anew shortly before its end.
    pub refresh_ahead: bool,
    /// When it is no answer to the key any more: another period has begun, or this one is gone.
    pub until: Option<Timestamp>,
    /// Whether it may be given to those without a credential.
    pub public: bool,
    /// The version and a digest of the body.
    pub etag: Box<str>,
}

impl CacheEntry {
    /// A finished answer. `None` when its name or tag cannot stand in a header, which no name of ours can fail to.
    pub fn new(metadata: CacheMetadata, body: Bytes) -> Option<Self> {
        let span = metadata.until.map_or(i64::MAX, |until| {
            (until.as_unix_ms() - metadata.made_at.as_unix_ms()).max(0)
        });
        let fresh_ms = i64::from(metadata.lifetime_ms).min(span);
        let after = |ms: u32| ((i64::from(metadata.lifetime_ms) + i64::from(ms)).min(span) - fresh_ms) / 1000;
        let if_error = after(metadata.stale_if_error_ms);
        let cdn = format!(
            "max-age={}, stale-while-revalidate={}, stale-if-error={if_error}",
            fresh_ms / 1000,
            after(metadata.stale_ms),
        );
        let cdn_changing = format!("max-age=0, stale-if-error={if_error}");
        let place = place_of(&metadata.name).replace(':', "/");
        let tenant = place.split('/').next().unwrap_or_default();
        let tag =
            |coding: Coding| HeaderValue::from_str(&format!("\"{}{}\"", metadata.etag, coding.tag())).ok();
        Some(Self {
            cdn: HeaderValue::from_str(&cdn).ok()?,
            cdn_changing: HeaderValue::from_str(&cdn_changing).ok()?,
            groups: HeaderValue::from_str(&format!("\"{tenant}\", \"{place}\"")).ok()?,
            tags: [tag(Coding::Identity)?, tag(Coding::Gzip)?, tag(Coding::Brotli)?],
            metadata,
            body,
            gzip: OnceCell::new(),
            brotli: OnceCell::new(),
        })
    }

    /// The entity tag of the body in a coding.
    pub fn tag(&self, coding: Coding) -> &HeaderValue {
        let [identity, gzip, brotli] = &self.tags;
        match coding {
            Coding::Identity => identity,
            Coding::Gzip => gzip,
            Coding::Brotli => brotli,
        }
    }

    /// The body in a coding, and whether it was made just now.
    pub fn body(&self, coding: Coding) -> (Bytes, bool) {
        let kept = match coding {
            Coding::Identity => return (self.body.clone(), false),
            Coding::Gzip => &self.gzip,
            Coding::Brotli => &self.brotli,
        };
        let new = kept.get().is_none();
        (kept.get_or_init(|| coding.encode(&self.body)).clone(), new)
    }

    /// How many bytes it takes, about; the same before and after its body is coded.
    pub fn size(&self) -> usize {
        2 * self.body.len() + 2 * self.metadata.name.len() + 512
    }

    /// The form in which the region keeps it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.unsigned(FORM);
        w.text(&self.metadata.name);
        w.timestamp(self.metadata.made_at);
        w.unsigned(self.metadata.cost_ms.into());
        w.unsigned(self.metadata.lifetime_ms.into());
        w.unsigned(self.metadata.stale_ms.into());
        w.unsigned(self.metadata.stale_if_error_ms.into());
        w.byte(self.metadata.refresh_ahead.into());
        w.option(self.metadata.until, Writer::timestamp);
        w.byte(self.metadata.public.into());
        w.text(&self.metadata.etag);
        w.bytes(&self.body);
        for coded in [&self.gzip, &self.brotli] {
            w.option(coded.get(), |w, body| w.bytes(body));
        }
        let mut bytes = w.finish();
        bytes.extend_from_slice(&checksum(&bytes));
        bytes
    }

    /// `None` for bytes of another time, another program, or a disk that failed.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::read(bytes).ok().flatten()
    }

    fn read(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        let Some((record, sum)) = bytes.split_last_chunk::<SUM_BYTES>() else {
            return Ok(None);
        };
        let mut r = Reader::new(record);
        if *sum != checksum(record) || r.unsigned()? != FORM {
            return Ok(None);
        }
        let number = |r: &mut Reader<'_>| u32::try_from(r.unsigned()?).map_err(|_| Malformed("entry"));
        let metadata = CacheMetadata {
            name: r.text()?.into(),
            made_at: r.timestamp()?,
            cost_ms: number(&mut r)?,
            lifetime_ms: number(&mut r)?.min(MAX_LIFETIME_MS),
            stale_ms: number(&mut r)?.min(MAX_STALE_MS),
            stale_if_error_ms: number(&mut r)?.min(MAX_STALE_IF_ERROR_MS),
            refresh_ahead: r.flag()?,
            until: r.option(Reader::timestamp)?,
            public: r.flag()?,
            etag: r.text()?.into(),
        };
        let body = Bytes::copy_from_slice(r.bytes()?);
        let gzip = r.option(|r| r.bytes().map(Bytes::copy_from_slice))?;
        let brotli = r.option(|r| r.bytes().map(Bytes::copy_from_slice))?;
        r.end()?;
        let Some(entry) = Self::new(metadata, body) else {
            return Ok(None);
        };
        // They are empty: the entry is new.
        gzip.map(|body| entry.gzip.set(body));
        brotli.map(|body| entry.brotli.set(body));
        Ok(Some(entry))
    }
}

/// CRC-32: it finds what a disk or a half-finished write does, and every change of up to four bytes in a row.
fn checksum(bytes: &[u8]) -> [u8; SUM_BYTES] {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum().to_be_bytes()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn metadata() -> CacheMetadata {
        CacheMetadata {
            name: "acme:goals:application/json:list:10\n".into(),
            made_at: Timestamp::parse("2026-07-19T21:04:00Z").unwrap(),
            cost_ms: 3,
            lifetime_ms: 5_000,
            stale_ms: 2_500,
            stale_if_error_ms: 300_000,
            refresh_ahead: true,
            until: Timestamp::parse("2026-07-20T00:00:00Z").ok(),
            public: true,
            etag: "17-abc".into(),
        }
    }

    pub fn entry(metadata: CacheMetadata) -> CacheEntry {
        CacheEntry::new(metadata, Bytes::from("x".repeat(5_000))).unwrap()
    }

    #[test]
    fn what_is_kept_is_read_back_with_its_coded_bodies() {
        let made = entry(metadata());
        let (gzip, new) = made.body(Coding::Gzip);
        assert!(new && gzip.len() < 200);
        let read = CacheEntry::from_bytes(&made.to_bytes()).unwrap();
        assert_eq!((&read.metadata, &read.body), (&made.metadata, &made.body));
        assert_eq!(read.body(Coding::Gzip), (gzip, false));
        assert!(read.body(Coding::Brotli).1, "not made yet");
        assert_eq!(read.tag(Coding::Gzip), "\"17-abc-g\"");
        assert_eq!(read.groups, "\"acme\", \"acme/goals\"");
        assert_eq!(
            read.cdn,
            "max-age=5, stale-while-revalidate=2, stale-if-error=300"
        );
    }

    #[test]
    fn what_cdns_are_told_ends_with_the_period() {
        let told = |after_ms| {
            let until = Some(metadata().made_at.saturating_add_ms(after_ms));
            let entry = entry(CacheMetadata { until, ..metadata() });
            entry.cdn.to_str().unwrap().to_owned()
        };
        assert_eq!(
            told(3_000),
            "max-age=3, stale-while-revalidate=0, stale-if-error=0"
        );
        assert_eq!(
            told(6_000),
            "max-age=5, stale-while-revalidate=1, stale-if-error=1"
        );
        assert_eq!(told(-1), "max-age=0, stale-while-revalidate=0, stale-if-error=0");
    }

    #[test]
    fn no_view_lives_longer_than_a_configuration_can_say() {
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
    fn other_bytes_are_no_view() {
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
