//! The operations about submissions, bans and dead letters.

use crate::operation::{DescribedResponse, Operation, Shape};

const IDEMPOTENT: &[&str] = &["idempotencyKey", "prefer"];
const APPLIED: &[&str] = &["Preference-Applied", "Cache-Group-Invalidation"];
const INVALIDATING: &[&str] = &["Cache-Group-Invalidation"];
const BATCH: DescribedResponse = DescribedResponse::new(
    207,
    "The outcome of each submission of a batch. Each submission has its own status.",
    Shape::Json("BatchResults"),
)
.with(APPLIED)
.like(&["scores-in-a-batch"]);

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("POST", "/leaderboards/:leaderboard/scores", "submitScores", "Submit one score, or many")
        .about("One submission, or `{\"scores\": […]}` with 1 to 1,000 (with a player's token 20). It costs one unit of the limits for each leaderboard of each submission. A submission with an `id` counts once within 24 hours; `Idempotency-Key` does the same for a whole request.")
        .takes(IDEMPOTENT)
        .reads("Scores")
        .gives(&[
            DescribedResponse::new(200, "What the submission did.", Shape::Json("Outcome"))
                .with(APPLIED)
                .like(&["score-taken", "score-replayed", "score-minimal"]),
            BATCH,
        ])
        .refuses(&[409]),
    Operation::new("POST", "/scores", "submitScoresToSeveral", "Submit scores to several leaderboards")
        .about("Each submission names its `leaderboards` and is applied to all of them or to none.")
        .takes(IDEMPOTENT)
        .reads("ScoresToSeveral")
        .gives(&[
            DescribedResponse::new(200, "What the submission did on each leaderboard.", Shape::Json("Outcomes"))
                .with(APPLIED)
                .like(&["score-on-several"]),
            BATCH,
        ])
        .refuses(&[409]),
    Operation::new("DELETE", "/leaderboards/:leaderboard/scores/:player", "removeEntry", "Remove a player's entry")
        .takes(&["period"])
        .gives(&[DescribedResponse::done("The entry is gone.").with(INVALIDATING)]),
    Operation::new("PUT", "/players/:player/ban", "banPlayer", "Hide a player")
        .about("In every leaderboard of the tenant, from everybody but the player. Once more, it changes why and until when. A ban with `expires_at` ends by itself.")
        .reads("BanWritten")
        .gives(&[DescribedResponse::done("The player is hidden.").with(INVALIDATING)])
        .refuses(&[409]),
    Operation::new("GET", "/players/:player/ban", "readBan", "Read a player's ban")
        .about("Why, since when and until when.")
        .gives(&[DescribedResponse::new(200, "The ban.", Shape::Json("Ban")).like(&["ban-read"])]),
    Operation::new("DELETE", "/players/:player/ban", "liftBan", "Show a hidden player again")
        .gives(&[DescribedResponse::done("The player is shown.").with(INVALIDATING)]),
    Operation::new("GET", "/bans", "listBans", "List the bans")
        .about("In the order of their players; those that have ended are not among them.")
        .takes(&["limitOfDocuments", "cursor"])
        .gives(&[DescribedResponse::new(200, "A page of bans.", Shape::Json("Bans")).like(&["bans-listed"])]),
    Operation::new("GET", "/dead-letters", "listDeadLetters", "List published messages that could not be applied")
        .about("Newest first. The tenant's own; the operator's key lists those of all tenants and those that name none, or with `tenant` those of one.")
        .takes(&["limitOfRecords", "cursor", "ofTenant"])
        .gives(&[DescribedResponse::new(200, "A page of them.", Shape::Json("DeadLetters")).like(&["dead-letters"])]),
    Operation::new("POST", "/dead-letters/:letter/replay", "replayDeadLetter", "Apply a dead letter's submission now")
        .about("With the submission's own id, so that one which was applied meanwhile counts once, and as of when the message came. The letter is deleted; one that is refused again stays.")
        .gives(&[
            DescribedResponse::new(200, "What the submission did on each leaderboard.", Shape::Json("Outcomes"))
                .with(INVALIDATING)
                .like(&["score-on-several"]),
        ])
        .refuses(&[409, 422]),
    Operation::new("DELETE", "/dead-letters/:letter", "dropDeadLetter", "Delete a dead letter")
        .gives(&[DescribedResponse::done("It is gone.")]),
];
