//! Scores in.

use crate::operation::{Answer, Operation, Shape};

const IDEMPOTENT: &[&str] = &["idempotencyKey", "prefer"];
const APPLIED: &[&str] = &["Preference-Applied", "Cache-Group-Invalidation"];
const INVALIDATING: &[&str] = &["Cache-Group-Invalidation"];
const BATCH: Answer = Answer::new(
    207,
    "What became of each submission of a batch; each has its own status.",
    Shape::Versioned("BatchResults", "BatchResultsV2"),
)
.with(APPLIED)
.like(&["scores-in-a-batch"]);

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("POST", "/leaderboards/:leaderboard/scores", "submitScores", "Submit one score, or many")
        .about("One submission, or `{\"scores\": […]}` with 1 to 1,000. A submission with an `id` counts once within 24 hours; `Idempotency-Key` does the same for a whole request.")
        .takes(IDEMPOTENT)
        .reads("Scores")
        .gives(&[
            Answer::new(200, "What the submission did.", Shape::Versioned("Outcome", "OutcomeV2"))
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
            Answer::new(200, "What the submission did on each leaderboard.", Shape::Versioned("Outcomes", "OutcomesV2"))
                .with(APPLIED)
                .like(&["score-on-several"]),
            BATCH,
        ])
        .refuses(&[409]),
    Operation::new("DELETE", "/leaderboards/:leaderboard/scores/:player", "removeEntry", "Remove a player's entry")
        .takes(&["period"])
        .gives(&[Answer::done("The entry is gone.").with(INVALIDATING)]),
    Operation::new("PUT", "/players/:player/ban", "banPlayer", "Hide a player")
        .about("In every leaderboard of the tenant, from everybody but the player.")
        .gives(&[Answer::done("The player is hidden.").with(INVALIDATING)]),
    Operation::new("DELETE", "/players/:player/ban", "liftBan", "Show a hidden player again")
        .gives(&[Answer::done("The player is shown.").with(INVALIDATING)]),
    Operation::new("GET", "/dead-letters", "listDeadLetters", "List published messages that could not be applied")
        .about("Newest first, of all tenants.")
        .takes(&["limitOfRecords"])
        .gives(&[Answer::new(200, "The newest ones.", Shape::Versioned("DeadLetters", "DeadLettersV2")).like(&["dead-letters"])]),
];
