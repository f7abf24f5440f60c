//! The operations about submissions, bans and dead letters.

use crate::operation::{DescribedResponse, Operation, Shape};

const IDEMPOTENT: &[&str] = &["idempotencyKey", "prefer"];
const APPLIED: &[&str] = &["Preference-Applied", "Cache-Group-Invalidation"];
const QUEUED: DescribedResponse = DescribedResponse::new(
    202,
    "The request asked for `Prefer: respond-async`. Its submissions are in the queue; `Location` shows what comes of them.",
    Shape::Json("QueuedSubmission"),
)
.with(&["Location", "Preference-Applied"])
.like(&["score-queued"]);
const INVALIDATING: &[&str] = &["Cache-Group-Invalidation"];
const BATCH: DescribedResponse = DescribedResponse::new(
    207,
    "The outcome of each submission of a batch. Each submission has its own status.",
    Shape::Json("BatchResults"),
)
.with(APPLIED)
.like(&["scores-in-a-batch"]);

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("POST", "/leaderboards/:leaderboard/scores", "submitScores", "Submit one score, or a batch of scores")
        .about("The body is one submission, or a batch `{\"scores\": […]}` with 1 to 1,000 submissions (with a player's token: 1 to 20). The rate limits are charged one unit for each leaderboard of each submission. A submission with an `id` is applied only once within 24 hours; `Idempotency-Key` does the same for a whole request. With `Prefer: respond-async` the service stores a valid request in a durable queue, and applies it soon after the response.")
        .takes(IDEMPOTENT)
        .reads("Scores")
        .gives(&[
            DescribedResponse::new(200, "What the submission did.", Shape::Json("Outcome"))
                .with(APPLIED)
                .like(&["score-taken", "score-replayed", "score-minimal"]),
            QUEUED,
            BATCH,
        ])
        .refuses(&[409]),
    Operation::new("POST", "/scores", "submitScoresToSeveral", "Submit scores to several leaderboards")
        .about("Each submission names its `leaderboards` and is applied to all of them or to none of them.")
        .takes(IDEMPOTENT)
        .reads("ScoresToSeveral")
        .gives(&[
            DescribedResponse::new(200, "What the submission did on each leaderboard.", Shape::Json("Outcomes"))
                .with(APPLIED)
                .like(&["score-on-several"]),
            QUEUED,
            BATCH,
        ])
        .refuses(&[409]),
    Operation::new("GET", "/submissions/:submission", "readSubmission", "Read what came of queued submissions")
        .about("The state is kept for 24 hours after the submissions were applied or refused. A player's token finds only requests that came with a token of this player.")
        .gives(&[DescribedResponse::new(200, "The state.", Shape::Json("QueuedSubmission")).like(&["submission-read"])]),
    Operation::new("GET", "/players/:player/pending-scores", "listPendingScores", "List the scores of a player that wait in the queue")
        .about("The list has the requests with `Prefer: respond-async` that came with the player's token and are not applied yet. A server reads those of any player; a player's token only those of its player.")
        .gives(&[DescribedResponse::new(200, "The scores that wait.", Shape::Json("PendingScores")).like(&["pending-scores"])]),
    Operation::new("POST", "/internal/tick", "drainQueue", "Apply what is in the queue")
        .about("A scheduler sends this request, for example once per second. The service applies the queue also after a request with `Prefer: respond-async` and after each published message, so a tick is needed for what such a drain left.")
        .gives(&[DescribedResponse::new(200, "How many items were applied, are tried again later, or were given up.", Shape::Json("Drained")).like(&["queue-drained"])]),
    Operation::new("DELETE", "/leaderboards/:leaderboard/scores/:player", "removeEntry", "Remove a player's entry")
        .takes(&["period"])
        .gives(&[DescribedResponse::done("The entry is removed.").with(INVALIDATING)]),
    Operation::new("PUT", "/players/:player/ban", "banPlayer", "Ban a player")
        .about("This is a shadow ban: in every leaderboard of the tenant, only the banned player still sees the entries of this player. A second request changes the reason and the end of the ban. A ban with `expires_at` ends at that instant.")
        .reads("BanWritten")
        .gives(&[DescribedResponse::done("The player is banned.").with(INVALIDATING)])
        .refuses(&[409]),
    Operation::new("GET", "/players/:player/ban", "readBan", "Read a player's ban")
        .about("The response has the reason, the beginning and the end of the ban.")
        .gives(&[DescribedResponse::new(200, "The ban.", Shape::Json("Ban")).like(&["ban-read"])]),
    Operation::new("DELETE", "/players/:player/ban", "liftBan", "Lift a player's ban")
        .gives(&[DescribedResponse::done("The player is not banned any more.").with(INVALIDATING)]),
    Operation::new("DELETE", "/players/:player", "erasePlayer", "Erase a player")
        .about("The service removes the player's entries in every leaderboard of the tenant, with metadata, idempotency records, the ban, dead letters and results of queued requests. In event logs, the audit log and final standings, a random pseudonym takes the player's place, so that the ranks of others stay. While the response is 503 with the problem `erasing`, the same request continues.")
        .gives(&[DescribedResponse::done("The player is erased.").with(INVALIDATING)])
        .refuses(&[409]),
    Operation::new("GET", "/bans", "listBans", "List the bans")
        .about("The list has the bans in force, in the order of the players.")
        .takes(&["limitOfDocuments", "cursor"])
        .gives(&[DescribedResponse::new(200, "A page of the bans.", Shape::Json("Bans")).like(&["bans-listed"])]),
    Operation::new("GET", "/dead-letters", "listDeadLetters", "List the dead letters")
        .about("A dead letter is a published message whose submission could not be applied. The list is newest first. A tenant gets its own dead letters. The operator gets those of all tenants and those without a tenant, or with `tenant` only those of one tenant.")
        .takes(&["limitOfRecords", "cursor", "ofTenant"])
        .gives(&[DescribedResponse::new(200, "A page of dead letters.", Shape::Json("DeadLetters")).like(&["dead-letters"])]),
    Operation::new("POST", "/dead-letters/:letter/replay", "replayDeadLetter", "Apply a dead letter's submission now")
        .about("The service applies the submission with its own id and with the time at which the message arrived. So a submission that was applied in the meantime is not applied twice. Then the service deletes the dead letter. If the submission is refused again, the dead letter stays.")
        .gives(&[
            DescribedResponse::new(200, "What the submission did on each leaderboard.", Shape::Json("Outcomes"))
                .with(INVALIDATING)
                .like(&["score-on-several"]),
        ])
        .refuses(&[409, 422]),
    Operation::new("DELETE", "/dead-letters/:letter", "dropDeadLetter", "Delete a dead letter")
        .gives(&[DescribedResponse::done("The dead letter is deleted.")]),
];
