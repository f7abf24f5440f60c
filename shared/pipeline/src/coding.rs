//! Content codings (RFC 9110, section 12.5.3).

use std::io::Write;

use bytes::Bytes;
use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

use leaderboard_api::headers::list_header;
use leaderboard_api::{Problem, ProblemType};

/// The longest body, in bytes, that is sent without a coding, unless the client refuses that. Gzip would hardly make such a body
/// shorter.
const MIN_CODED_BYTES: usize = 1024;
/// The compression level of gzip, from 1 to 9.
const GZIP_LEVEL: u32 = 6;

/// The coding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// No coding.
    Identity,
    /// Gzip (RFC 1952).
    Gzip,
}

impl Coding {
    /// Returns the name in `Content-Encoding`; `None` for a body without a coding.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
        }
    }

    /// Returns the suffix of the entity tag: a body in another coding has another tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Gzip => "-g",
        }
    }

    /// Returns the body in this coding. Every instance returns equal bytes for equal bodies, because the entity tag is a strong
    /// one.
    pub fn encode(self, body: &Bytes) -> Bytes {
        // Writing into memory cannot fail.
        match self {
            Self::Identity => body.clone(),
            Self::Gzip => {
                let mut encoder =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL));
                let _ = encoder.write_all(body);
                encoder.finish().unwrap_or_default().into()
            }
        }
    }

    /// Returns the coding that a client prefers for a body of this length; gzip if the client has no preference.
    ///
    /// # Errors
    /// 406 if the client accepts neither.
    pub fn accepted(headers: &HeaderMap, body_bytes: usize) -> Result<Self, Problem> {
        let Some(accepted) = list_header(headers, ACCEPT_ENCODING.as_str()) else {
            return Ok(Self::Identity);
        };
        let weights = Weights::of(&accepted);
        if body_bytes <= MIN_CODED_BYTES && weights.identity > 0 {
            return Ok(Self::Identity);
        }
        if weights.prefer_gzip() {
            Ok(Self::Gzip)
        } else if weights.identity > 0 {
            Ok(Self::Identity)
        } else {
            Err(Problem::new(ProblemType::NotAcceptable)
                .with_detail("Responses are coded as identity or gzip."))
        }
    }
}

/// Returns whether a client accepts gzip and does not prefer an uncompressed body.
pub fn accepts_gzip(headers: &HeaderMap) -> bool {
    list_header(headers, ACCEPT_ENCODING.as_str())
        .is_some_and(|accepted| Weights::of(&accepted).prefer_gzip())
}

/// The weight of each coding in `Accept-Encoding`, in thousandths.
#[derive(Debug)]
struct Weights {
    gzip: u16,
    /// The weight of a body without a coding, which is acceptable unless the client refuses it.
    identity: u16,
    /// The weight that the client gives to a body without a coding; 0 if the client gives none.
    identity_named: u16,
}

impl Weights {
    fn of(accepted: &str) -> Self {
        let (mut gzip, mut identity, mut any) = (None, None, None);
        for item in accepted.split(',') {
            let mut parts = item.split(';').map(str::trim);
            let name = parts.next().unwrap_or("");
            let weight = parts
                .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
                .map_or(1000, leaderboard_api::media::parse_weight);
            let named = match name {
                "*" => &mut any,
                _ if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => &mut gzip,
                _ if name.eq_ignore_ascii_case("identity") => &mut identity,
                _ => continue,
            };
            *named = Some(weight);
        }
        Self {
            gzip: gzip.or(any).unwrap_or(0),
            identity: identity.or(any).unwrap_or(1000),
            identity_named: identity.or(any).unwrap_or(0),
        }
    }

    const fn prefer_gzip(&self) -> bool {
        self.gzip > 0 && self.gzip >= self.identity_named
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use http::HeaderValue;

    use super::*;

    fn choose_coding(accepted: &str, body_bytes: usize) -> Option<Coding> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_str(accepted).unwrap());
        Coding::accepted(&headers, body_bytes).ok()
    }

    #[test]
    fn the_coding_with_the_highest_weight_is_chosen() {
        let (identity, gzip) = (Some(Coding::Identity), Some(Coding::Gzip));
        assert_eq!(Coding::accepted(&HeaderMap::new(), 9999), Ok(Coding::Identity));
        for (accepted, small, large) in [
            ("", identity, identity),
            ("gzip, deflate, br", identity, gzip),
            ("br", identity, identity),
            ("br, identity;q=0", None, None),
            ("gzip", identity, gzip),
            ("GZip;Q=0.5, BR;q=0.4", identity, gzip),
            ("gzip;q=0", identity, identity),
            ("*", identity, gzip),
            ("*;q=0", None, None),
            ("identity;q=0", None, None),
            ("identity;q=0, gzip", gzip, gzip),
            ("*;q=0, gzip", gzip, gzip),
            ("identity;q=0, *", gzip, gzip),
            ("deflate, identity;q=0.5, gzip;q=0.1", identity, identity),
            ("zstd", identity, identity),
        ] {
            assert_eq!(
                (choose_coding(accepted, 1024), choose_coding(accepted, 1025)),
                (small, large),
                "{accepted}"
            );
        }
    }

    #[test]
    fn an_encoded_body_decodes_to_the_body_and_is_deterministic() {
        let body = Bytes::from(r#"{"rank":1,"player":"José"},"#.repeat(5000));
        let gzip = Coding::Gzip.encode(&body);
        let mut read = Vec::new();
        flate2::read::GzDecoder::new(gzip.as_ref())
            .read_to_end(&mut read)
            .unwrap();
        assert_eq!(read, body);
        assert!(gzip.len() < body.len() / 10);
        assert_eq!(Coding::Gzip.encode(&body), gzip);
    }
}
