//! Request bodies. The pipeline decides when a body is read. A client that sends its body too slowly is refused.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, EXPECT};
use http::{HeaderMap, Method};
use leaderboard_pipeline::{Body, MAX_BODY_BYTES, RequestBody};
use spin_sdk::wasip3::http::types::{self, ErrorCode, Trailers};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult};
use spin_sdk::wasip3::{spawn, wit_future};

use crate::timeout::{TimedOut, within};

/// The longest time that a body may take.
const BODY_LIMIT: Duration = Duration::from_secs(30);
/// How long a client may send nothing before the minimum rate applies.
const GRACE: Duration = Duration::from_secs(5);
/// The minimum rate of a body after [`GRACE`], in bytes a second: 8 KiB.
const MIN_BYTES_PER_SECOND: u64 = 8 << 10;
/// How many bytes of a body are read and discarded if the body is too large or was refused. A client whose connection is closed
/// while it sends may never see the response.
const MAX_DISCARDED_BYTES: usize = 4 << 20;
/// How long the body of a refused request is read. After this time the host closes the connection.
const DISCARD_LIMIT: Duration = Duration::from_secs(2);
/// How many bytes are read at a time if the client did not declare a length.
const CHUNK_BYTES: usize = 16 * 1024;

/// A body that has not been read.
pub(crate) struct Unread {
    declared: Option<usize>,
    /// Whether the client waits for `100 Continue` before it sends the body.
    asks_first: bool,
    is_empty: bool,
    request: types::Request,
}

impl Unread {
    /// Creates the unread body of a request with this method and these headers.
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
            // The stream is not read, because each read is a call of the host.
            return Body::Bytes(Bytes::new());
        }
        // A client that waits for `100 Continue` sends nothing when it is refused.
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
        // Reading makes the host send `100 Continue`, and then the client would send the body.
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
    /// Tells the host that the body was read.
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

    /// Returns how long the rest of the body may take.
    fn time_left(&self) -> Duration {
        time_left(self.received, self.began.elapsed(), self.limit)
    }

    /// Reads a body of the declared length. Does not wait for the end of the stream, because that would be another call of the
    /// host.
    async fn exactly(mut self, bytes: usize) -> Result<Body, Body> {
        let mut body = Vec::new();
        while self.received < bytes {
            let chunk = self.next((bytes - self.received).min(MAX_BODY_BYTES)).await?;
            add(&mut body, chunk.ok_or_else(|| broken("the body ended early"))?);
        }
        Ok(self.whole(body))
    }

    /// Reads a body of unknown length. A body that is too large is read up to a limit and discarded.
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
        // The trailers say whether the body ended with an error.
        match within(left, self.trailers.into_future()).await {
            Ok(Ok(_)) => Ok(body),
            Ok(Err(error)) => Err(broken(&error.to_string())),
            Err(TimedOut) => Err(Body::TooSlow),
        }
    }

    /// Reads at most `room` bytes; `None` at the end.
    async fn next(&mut self, room: usize) -> Result<Option<Vec<u8>>, Body> {
        let left = self.time_left();
        if left.is_zero() {
            // A read that is ready at once never times out, so a slow client could go on for ever.
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

/// Returns how long the rest of a body may take, if `received` bytes arrived within `elapsed` and the whole body may take
/// `limit`. Each received byte adds the time that it takes at the minimum rate. So a client that sends more slowly than this rate
/// has no time left at some point.
fn time_left(received: usize, elapsed: Duration, limit: Duration) -> Duration {
    let received = u64::try_from(received).unwrap_or(u64::MAX);
    let earned = Duration::from_millis(received.saturating_mul(1000) / MIN_BYTES_PER_SECOND);
    let allowed = limit.min(GRACE.saturating_add(earned));
    allowed.saturating_sub(elapsed)
}

/// Appends a chunk, unless the body is already above the limit.
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
