//! The operations about leaderboards.

use crate::operation::{DescribedResponse, Operation, Shape};

const ONE: &str = "/leaderboards/:leaderboard";
const DOCUMENT: Shape = Shape::Json("Leaderboard");
const CHANGED: &[&str] = &["ETag", "Cache-Group-Invalidation"];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/leaderboards", "listLeaderboards", "List the leaderboards")
        .about("The leaderboards whose entries the caller may read. An administrator gets the whole configuration of each. The list is in the order of the ids. A walk by `cursor` returns each item that stays in the list exactly once. Each page shows the state at the time when the page is read. An item that is created behind the cursor is not returned.")
        .takes(&["limitOfDocuments", "cursor"])
        .gives(&[DescribedResponse::new(200, "A page of leaderboards.", Shape::Json("Leaderboards"))
            .like(&["leaderboards-listed"])]),
    Operation::new("GET", ONE, "readLeaderboard", "Read a leaderboard")
        .about("An administrator is shown all of it; others who may read its entries are shown its title, its columns, its ties, the current period and the next reset.")
        .takes(&["ifMatch", "ifNoneMatch"])
        .gives(&[
            DescribedResponse::new(200, "The leaderboard.", Shape::Json("ReadableLeaderboard"))
                .with(&["ETag", "Cache-Status", "Age", "Content-Encoding"])
                .like(&["leaderboard-read"]),
            DescribedResponse::unchanged().with(&["ETag", "Cache-Status", "Age"]),
        ])
        .refuses(&[412]),
    Operation::new("PUT", ONE, "putLeaderboard", "Create or replace a leaderboard")
        .about("What is left out has its default. A change that would reorder the entries of the current period asks for `rebuild=true`. A change of `reset` takes effect at the end of the current period, at `reset_takes_effect_at`; with `rebuild=true` the current period goes on to the next reset of the new rule instead.")
        .takes(&["rebuild", "ifMatch", "ifNoneMatch"])
        .reads("LeaderboardWritten")
        .gives(&[
            DescribedResponse::new(200, "It was replaced.", DOCUMENT).with(CHANGED).like(&["leaderboard-replaced"]),
            DescribedResponse::new(201, "It was created.", DOCUMENT).with(&["ETag", "Location", "Cache-Group-Invalidation"]).like(&["leaderboard-created"]),
        ])
        .refuses(&[409, 412]),
    Operation::new("PATCH", ONE, "patchLeaderboard", "Change a leaderboard")
        .about("A merge patch (RFC 7396) of the document that `GET` shows.")
        .takes(&["rebuild", "ifMatch", "ifNoneMatch"])
        .reads("LeaderboardPatch")
        .gives(&[DescribedResponse::new(200, "It was changed.", DOCUMENT).with(CHANGED).like(&["leaderboard-patched"])])
        .refuses(&[409, 412]),
    Operation::new("DELETE", ONE, "deleteLeaderboard", "Delete a leaderboard with all its data")
        .takes(&["ifMatch", "ifNoneMatch"])
        .gives(&[DescribedResponse::done("It is gone.").with(&["Cache-Group-Invalidation"])])
        .refuses(&[412]),
];
