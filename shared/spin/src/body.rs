//! Bodies of requests, read when the pipeline asks for them, and no slower than a client may send them.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, EXPECT};
use http::{HeaderMap, Method};
use leaderboard_pipeline::{Body, MAX_BODY_BYTES, RequestBody};
use spin_sdk::wasip3::http::types::{self, ErrorCode, Trailers};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult};
use spin_sdk::wasip3::{spawn, wit_future};

use crate::timeout::{TimedOut, within};

/// How long a body may take, at whatever rate it comes: 30 seconds.
const BODY_LIMIT: Duration = Duration::from_secs(30);
/// How long a client may send nothing before its rate counts.
const GRACE: Duration = Duration::from_secs(5);
/// The rate at which a body must come after that, in bytes a second: 8 KiB.
const MIN_BYTES_PER_SECOND: u64 = 8 << 10;
/// Bytes of a body that is too large, or that nobody reads, which are still taken in, and thrown away: a client whose
/// connection is closed while it sends may never see the answer.
const MAX_DISCARDED_BYTES: usize = 4 << 20;
/// For how long the body of a request that was refused unread is taken in. The host closes the connection over the rest.
const DISCARD_LIMIT: Duration = Duration::from_secs(2);
/// Bytes that are read at a time where the client does not say how many will come.
const CHUNK_BYTES: usize = 16 * 1024;

/// A body that has not been read.
pub(crate) struct Unread {
    declared: Option<usize>,
    /// Whether the client waits for a sign before it sends anything.
    asks_first: bool,
    is_empty: bool,
    request: types::Request,
}

impl Unread {
    /// The body of a request with this head.
    pub(crate) fn new(method: &Method, headers: &HeaderMap, request: types::Request) -> Self {
        let declared = declared_length(headers);
        Self {
            declared,
            asks_first: headers.contains_key(EXPECT),
            is_empty: matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) || declared == Some(0),
            request,
        }
    }
}

impl RequestBody for Unread {
    async fn read(self) -> Body {
        if self.is_empty {
            // Without looking at the stream: each look is a call of the host.
            return Body::Bytes(Bytes::new());
        }
        // A client that asks first sends nothing when it is refused.
        let too_large = self.declared.is_some_and(|bytes| {
            bytes > MAX_BODY_BYTES && (self.asks_first || bytes > MAX_BODY_BYTES + MAX_DISCARDED_BYTES)
        });
        if too_large {
            return Body::TooLarge;
        }
        let reading = Reading::begin(self.request, BODY_LIMIT);
        let body = match self.declared {
            Some(bytes) => reading.exactly(bytes).await,
            None => reading.all().await,
        };
        body.unwrap_or_else(|stopped| stopped)
    }

    fn discard(self) {
        // To read is the sign that a client which asks first waits for.
        if !self.is_empty && !self.asks_first {
            spawn(async move {
                let mut reading = Reading::begin(self.request, DISCARD_LIMIT);
                while reading.received < MAX_DISCARDED_BYTES
                    && self.declared.is_none_or(|bytes| reading.received < bytes)
                    && let Ok(Some(_)) = reading.next(CHUNK_BYTES).await
                {}
            });
        }
    }
}

/// A body that is being read.
struct Reading {
    stream: StreamReader<u8>,
    trailers: FutureReader<Result<Option<Trailers>, ErrorCode>>,
    /// Tells the host that the body was taken.
    _taken: FutureWriter<Result<(), ErrorCode>>,
    began: Instant,
    limit: Duration,
    received: usize,
}

impl Reading {
    fn begin(request: types::Request, limit: Duration) -> Self {
        let (taken, result) = wit_future::new(|| Ok(()));
        let (stream, trailers) = types::Request::consume_body(request, result);
        Self {
            stream,
            trailers,
            _taken: taken,
            began: Instant::now(),
            limit,
            received: 0,
        }
    }

    /// How long more may take to come.
    fn time_left(&self) -> Duration {
        time_left(self.received, self.began.elapsed(), self.limit)
    }

    /// A body of a length that the client told. Its end is not waited for: that would be one more call of the host.
    async fn exactly(mut self, bytes: usize) -> Result<Body, Body> {
        let mut body = Vec::new();
        while self.received < bytes {
            let chunk = self.next((bytes - self.received).min(MAX_BODY_BYTES)).await?;
            add(&mut body, chunk.ok_or_else(|| broken("the body ended early"))?);
        }
        Ok(self.whole(body))
    }

    /// A body of any length, as far as it is taken in.
    async fn all(mut self) -> Result<Body, Body> {
        let mut body = Vec::new();
        while let Some(chunk) = self.next(CHUNK_BYTES).await? {
            add(&mut body, chunk);
            if self.received > MAX_BODY_BYTES + MAX_DISCARDED_BYTES {
                return Ok(Body::TooLarge);
            }
        }
        let left = self.time_left();
        let body = self.whole(body);
        // How it ended stands behind it.
        match within(left, self.trailers.into_future()).await {
            Ok(Ok(_)) => Ok(body),
            Ok(Err(error)) => Err(broken(&error.to_string())),
            Err(TimedOut) => Err(Body::TooSlow),
        }
    }

    /// At most `room` bytes; `None` at the end.
    async fn next(&mut self, room: usize) -> Result<Option<Vec<u8>>, Body> {
        let left = self.time_left();
        if left.is_zero() {
            // More of it may be there at once, again and again.
            return Err(Body::TooSlow);
        }
        let read = within(left, self.stream.read(Vec::with_capacity(room))).await;
        let (result, chunk) = read.map_err(|TimedOut| Body::TooSlow)?;
        self.received += chunk.len();
        let more = matches!(result, StreamResult::Complete(_)) || !chunk.is_empty();
        Ok(more.then_some(chunk))
    }

    fn whole(&self, body: Vec<u8>) -> Body {
        if self.received > MAX_BODY_BYTES {
            return Body::TooLarge;
        }
        Body::Bytes(body.into())
    }
}

/// How long more of a body may take to come, of which so many bytes came within `elapsed`, and which may take `limit` in all. Each
/// byte earns the time that it takes at the least rate, so that a client which sends little at a time, however often, runs
/// out of it.
fn time_left(received: usize, elapsed: Duration, limit: Duration) -> Duration {
    let received = u64::try_from(received).unwrap_or(u64::MAX);
    let earned = Duration::from_millis(received.saturating_mul(1000) / MIN_BYTES_PER_SECOND);
    let allowed = limit.min(GRACE.saturating_add(earned));
    allowed.saturating_sub(elapsed)
}

/// Keeps a chunk, up to the limit and no further.
fn add(body: &mut Vec<u8>, chunk: Vec<u8>) {
    if body.is_empty() {
        *body = chunk;
    } else if body.len() <= MAX_BODY_BYTES {
        body.extend_from_slice(&chunk);
    }
}

fn broken(why: &str) -> Body {
    Body::Broken(format!("reading the body: {why}"))
}

fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1 << 10;

    fn left_ms(received: usize, elapsed_ms: u64) -> u128 {
        time_left(received, Duration::from_millis(elapsed_ms), BODY_LIMIT).as_millis()
    }

    #[test]
    fn a_client_that_sends_nothing_has_five_seconds() {
        assert_eq!(left_ms(0, 0), 5_000);
        assert_eq!(left_ms(0, 4_999), 1);
        assert_eq!(left_ms(0, 5_000), 0);
        assert_eq!(left_ms(0, 60_000), 0);
    }

    #[test]
    fn one_byte_a_second_earns_no_more_time() {
        assert_eq!(left_ms(4, 4_000), 1_000);
        assert_eq!(left_ms(5, 5_000), 0);
        assert_eq!(left_ms(29, 29_000), 0);
    }

    #[test]
    fn eight_kib_a_second_keep_a_body_going_until_thirty_seconds_are_over() {
        for second in 1..=25 {
            assert_eq!(
                left_ms(8 * KIB * second, second as u64 * 1_000),
                5_000,
                "{second}"
            );
        }
        assert_eq!(left_ms(29 * 8 * KIB, 29_000), 1_000);
        assert_eq!(left_ms(31 * 8 * KIB, 31_000), 0);
    }

    #[test]
    fn a_rate_below_the_least_runs_out_and_no_rate_passes_the_limit() {
        // Half of the rate: after ten seconds, the five of grace and the five that were earned are used up.
        assert_eq!(left_ms(9 * 4 * KIB, 9_000), 500);
        assert_eq!(left_ms(10 * 4 * KIB, 10_000), 0);
        assert_eq!(left_ms(usize::MAX, 29_999), 1);
        assert_eq!(left_ms(usize::MAX, 30_000), 0);
        assert_eq!(
            time_left(usize::MAX, Duration::from_secs(2), DISCARD_LIMIT),
            Duration::ZERO
        );
    }
}
