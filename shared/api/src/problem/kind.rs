//! The types of problems.

use http::StatusCode;

macro_rules! problem_types {
    ($($(#[doc = $doc:literal])+ $name:ident, $slug:literal $(at $uri:literal)?, $status:ident, $title:literal;)+) => {
        /// A type of problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ProblemType {
            $($(#[doc = $doc])+ $name,)+
        }

        impl ProblemType {
            /// All types, in the order of their status.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The type's URI reference: stable, for programs.
            #[must_use]
            pub const fn uri(self) -> &'static str {
                match self { $(Self::$name => problem_types!(@uri $slug $($uri)?),)+ }
            }

            /// The status of the response.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// The same few words for every occurrence, for people.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// When the API responds with this type.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                let text = match self { $(Self::$name => concat!($($doc),+),)+ };
                text.trim_ascii()
            }
        }
    };
    (@uri $slug:literal) => { concat!("/problems/", $slug) };
    // This type is registered at IANA under its own URI.
    (@uri $slug:literal $uri:literal) => { $uri };
}

problem_types! {
    /// The body is not JSON, is nested too deeply, or names a field twice.
    Malformed, "malformed", BAD_REQUEST, "The body is not valid JSON";
    /// A parameter in the path or the query is unknown, repeated or out of its range.
    InvalidParameter, "invalid-parameter", BAD_REQUEST, "A parameter is not valid";
    /// A request header is not valid.
    InvalidHeader, "invalid-header", BAD_REQUEST, "A header is not valid";
    /// The path and the `API-Version` header name different versions.
    VersionConflict, "version-conflict", BAD_REQUEST, "Two versions are asked for";
    /// The cursor does not come from this list.
    InvalidCursor, "invalid-cursor", BAD_REQUEST, "The cursor is not valid";
    /// A credential is missing or not valid.
    Unauthenticated, "unauthenticated", UNAUTHORIZED, "A valid credential is needed";
    /// The credential is valid, but does not allow this request.
    Forbidden, "forbidden", FORBIDDEN, "This is not allowed";
    /// The service refuses requests from this client address.
    AddressDenied, "address-denied", FORBIDDEN, "The address is denied";
    /// The operator has suspended the tenant.
    TenantSuspended, "tenant-suspended", FORBIDDEN, "The tenant is suspended";
    /// The API has no such path.
    NotFound, "not-found", NOT_FOUND, "There is nothing here";
    /// The path names a version of the API that does not exist.
    UnknownVersion, "unknown-version", NOT_FOUND, "This version does not exist";
    /// The document does not exist, so the defaults apply.
    DocumentNotFound, "document-not-found", NOT_FOUND, "The document does not exist";
    /// The tenant has no leaderboard with this id.
    LeaderboardNotFound, "leaderboard-not-found", NOT_FOUND, "The leaderboard does not exist";
    /// No import of the leaderboard is under way.
    ImportNotFound, "import-not-found", NOT_FOUND, "No import is under way";
    /// The tenant has no record, so the defaults apply.
    TenantNotFound, "tenant-not-found", NOT_FOUND, "The tenant has no record";
    /// The leaderboard has no such period, or does not keep it any more.
    PeriodNotFound, "period-not-found", NOT_FOUND, "The period does not exist";
    /// The tenant has no key with this id.
    KeyNotFound, "key-not-found", NOT_FOUND, "The key does not exist";
    /// There is no issuer with this id.
    IssuerNotFound, "issuer-not-found", NOT_FOUND, "The issuer does not exist";
    /// The tenant has no webhook with this id.
    WebhookNotFound, "webhook-not-found", NOT_FOUND, "The webhook does not exist";
    /// The webhook has no message with this id that was not delivered.
    MessageNotFound, "message-not-found", NOT_FOUND, "The message does not exist";
    /// The tenant has no dead letter with this id.
    DeadLetterNotFound, "dead-letter-not-found", NOT_FOUND, "The dead letter does not exist";
    /// The tenant has no queued submission with this id, or it is done since more than 24 hours, or it belongs to another player.
    SubmissionNotFound, "submission-not-found", NOT_FOUND, "The queued submission does not exist";
    /// The player is not banned.
    BanNotFound, "ban-not-found", NOT_FOUND, "The player is not banned";
    /// The player has no entry in the period.
    EntryNotFound, "entry-not-found", NOT_FOUND, "The player has no entry";
    /// The player has no prize in the period: the rank has none, or the player has no entry.
    PrizeNotFound, "prize-not-found", NOT_FOUND, "The player has no prize";
    /// The path does not support the method; `Allow` lists the methods that it supports.
    MethodNotAllowed, "method-not-allowed", METHOD_NOT_ALLOWED, "The method is not allowed here";
    /// `Accept` allows none of the media types of the route.
    NotAcceptable, "not-acceptable", NOT_ACCEPTABLE, "No acceptable media type";
    /// The body did not begin within 5 seconds, arrived more slowly than 8 KiB a second, or took more than 30 seconds.
    BodyTooSlow, "body-too-slow", REQUEST_TIMEOUT, "The body came too slowly";
    /// The document was changed by someone else at the same time; read it and try again.
    Conflict, "conflict", CONFLICT, "The document was changed meanwhile";
    /// A request with the same `Idempotency-Key` was already carried out, and its response is not shown again.
    AlreadyDone, "already-done", CONFLICT, "This was done already";
    /// Another of your documents has the same `issuer` and one of the same `audiences`.
    IssuerTaken, "issuer-taken", CONFLICT, "The issuer is taken";
    /// The route needs a variable that the operator has not set.
    NotConfigured, "not-configured", CONFLICT, "This is not configured";
    /// The tenant has a leaderboard with this id, so none can be imported.
    LeaderboardExists, "leaderboard-exists", CONFLICT, "The leaderboard exists";
    /// The tenant is importing this leaderboard, or another one; it has one import at a time.
    ImportUnderWay, "import-under-way", CONFLICT, "An import is under way";
    /// The change would reorder entries, which needs `?rebuild=true`.
    RebuildNeeded, "rebuild-needed", CONFLICT, "The change would reorder entries";
    /// The change would reorder more entries than a rebuild can.
    RebuildTooLarge, "rebuild-too-large", CONFLICT, "There are too many entries to reorder";
    /// The period accepts no more submissions of the player (`max_attempts`).
    AttemptsExhausted, "attempts-exhausted", CONFLICT, "No attempts are left";
    /// The period has as many entries as it may have.
    LeaderboardFull, "leaderboard-full", CONFLICT, "The leaderboard is full";
    /// The tenant has as many leaderboards, entries or bans as it may have.
    QuotaReached, "quota-reached", CONFLICT, "The tenant's quota is reached";
    /// The score happened before the leaderboard starts (`starts_at`).
    NotStarted, "not-started", CONFLICT, "The leaderboard has not started";
    /// The score happened after the leaderboard ended (`ends_at`).
    Ended, "ended", CONFLICT, "The leaderboard has ended";
    /// The score belongs to a period that is no longer kept.
    PeriodExpired, "period-expired", CONFLICT, "The period is no longer kept";
    /// The score belongs to an earlier period, which still has the order of an earlier configuration and accepts no more scores.
    PeriodReordered, "period-reordered", CONFLICT, "The period is closed to late scores";
    /// The score belongs to a period whose standings are final, and the leaderboard refuses late scores (`late_scores`), or the period has prizes.
    StandingsFinal, "standings-final", CONFLICT, "The standings are final";
    /// The period has not ended, or ended less than two minutes ago, so it has no final standings and no prizes.
    PeriodNotEnded, "period-not-ended", CONFLICT, "The period has not ended";
    /// The dead letter has no submission that can be applied, or a newer version stored it or the message of the webhook: delete it, or replay it after an update.
    NotReplayable, "not-replayable", CONFLICT, "The dead letter cannot be replayed";
    /// The history has an event that a newer version of the service wrote; ask a region with that version.
    HistoryUnreadable, "history-unreadable", CONFLICT, "The history cannot be read by this version";
    /// The entries were reordered after the cursor was made, or a leaderboard changed that is being exported; start again.
    StaleCursor, "stale-cursor", GONE, "The cursor is out of date";
    /// The prize was not claimed in time (`claim_days`).
    ClaimExpired, "claim-expired", GONE, "The claim has expired";
    /// The history does not have the state of the leaderboard at the instant `at`.
    HistoryNotKept, "history-not-kept", GONE, "The history does not reach so far";
    /// The condition in `If-Match` or `If-None-Match` is not met.
    PreconditionFailed, "precondition-failed", PRECONDITION_FAILED, "A precondition does not hold";
    /// The body is larger than 1 MiB.
    BodyTooLarge, "body-too-large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The address is longer than 8 KiB.
    AddressTooLong, "address-too-long", URI_TOO_LONG, "The address is too long";
    /// The route does not accept the media type or the content coding of the body.
    UnsupportedMediaType, "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The media type is not supported";
    /// The body is valid JSON, but a value in it is not; `errors` names the fields.
    Validation, "validation", UNPROCESSABLE_ENTITY, "A value is not valid";
    /// The `id` of the submission, or the idempotency key, was used within the last 24 hours with other content.
    IdConflict, "id-conflict", UNPROCESSABLE_ENTITY, "The id was used with other content";
    /// A rate limit or the day's quota of requests is used up; try again after `Retry-After` seconds.
    TooManyRequests, "quota-exceeded" at "https://iana.org/assignments/http-problem-types#quota-exceeded", TOO_MANY_REQUESTS, "Too many requests";
    /// The headers have more than 32 KiB.
    HeadersTooLarge, "headers-too-large", REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too large";
    /// The service failed; the log has the cause under the trace id.
    Internal, "internal", INTERNAL_SERVER_ERROR, "The service failed";
    /// Writes are switched off by the flag `edgeboard.writes`; try again after `Retry-After` seconds.
    WritesDisabled, "writes-disabled", SERVICE_UNAVAILABLE, "Writes are switched off";
    /// The tenant has as many submissions in the queue as it may have; try again after `Retry-After` seconds.
    QueueFull, "queue-full", SERVICE_UNAVAILABLE, "The queue is full";
    /// The instant `at` is far from the nearest snapshot, and requests bring one nearer; try again after `Retry-After` seconds.
    HistoryNotReady, "history-not-ready", SERVICE_UNAVAILABLE, "The history is being prepared";
    /// The entries of the period are being reordered; try again after `Retry-After` seconds.
    Rebuilding, "rebuilding", SERVICE_UNAVAILABLE, "The order is being rebuilt";
    /// The erasure of the player needs more time; the same request continues after `Retry-After` seconds.
    Erasing, "erasing", SERVICE_UNAVAILABLE, "The player is being erased";
    /// The store is unreachable; try again after `Retry-After` seconds.
    Unavailable, "unavailable", SERVICE_UNAVAILABLE, "The service is not available";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_sorted_by_status_and_has_every_type_once() {
        let all = ProblemType::ALL;
        assert!(all.windows(2).all(|pair| pair[0].status() <= pair[1].status()));
        let mut uris: Vec<_> = all.iter().map(|kind| kind.uri()).collect();
        uris.sort_unstable();
        uris.dedup();
        assert_eq!(uris.len(), all.len());
        assert!(all.iter().all(|kind| kind.meaning().ends_with('.')));
    }
}
