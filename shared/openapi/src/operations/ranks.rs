//! The operations that read entries and ranks.

use crate::operation::{DescribedResponse, Operation, Shape};

const CACHED: &[&str] = &[
    "ETag",
    "Cache-Status",
    "CDN-Cache-Control",
    "Cache-Groups",
    "Age",
    "Content-Encoding",
];
const UNCHANGED: DescribedResponse = DescribedResponse::unchanged().with(&[
    "ETag",
    "Cache-Status",
    "CDN-Cache-Control",
    "Cache-Groups",
    "Age",
]);

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/leaderboards/:leaderboard/entries", "listEntries", "List entries, or find players")
        .about("From the top, or from a `cursor`. With `players` it answers who of them stands where, and `not_found`; `limit` and `cursor` are not combined with it.")
        .takes(&["limitOfEntries", "cursor", "period", "players", "ifMatch", "ifNoneMatch"])
        .gives(&[
            DescribedResponse::new(200, "A page of the list, or the players.", Shape::Json("Entries"))
                .with(CACHED)
                .like(&["entries", "entries-of-players"]),
            UNCHANGED,
        ])
        .refuses(&[410, 412]),
    Operation::new("GET", "/leaderboards/:leaderboard/entries/:player", "readEntry", "Read a player's entry")
        .takes(&["period", "ifMatch", "ifNoneMatch"])
        .gives(&[
            DescribedResponse::new(200, "The entry.", Shape::Json("Standing")).with(CACHED).like(&["entry"]),
            UNCHANGED,
        ])
        .refuses(&[412]),
    Operation::new("GET", "/leaderboards/:leaderboard/entries/:player/around", "listAround", "List the entries around a player")
        .about("The window is always full where the leaderboard is large enough: at either end it shifts instead of shrinking. Its cursors go on as pages of the list.")
        .takes(&["limitOfWindow", "period", "ifMatch", "ifNoneMatch"])
        .gives(&[
            DescribedResponse::new(200, "The window.", Shape::Json("Window")).with(CACHED).like(&["around"]),
            UNCHANGED,
        ])
        .refuses(&[412]),
    Operation::new("GET", "/leaderboards/:leaderboard/summary", "readSummary", "Read the top, a player and the player's neighbours")
        .about("Of the token's player, unless `player` names another one. Each part is what its own read answers, and comes from the cache like it.")
        .takes(&["playerOfSummary", "top", "around", "period", "ifMatch", "ifNoneMatch"])
        .gives(&[
            DescribedResponse::new(200, "The top and the window.", Shape::Json("Summary")).with(&["ETag"]).like(&["summary"]),
            DescribedResponse::unchanged().with(&["ETag"]),
        ])
        .refuses(&[412]),
    Operation::new("GET", "/leaderboards/:leaderboard/periods", "listPeriods", "List the periods that have entries")
        .about("Newest first, page by page.")
        .takes(&["limitOfPeriods", "cursor", "ifMatch", "ifNoneMatch"])
        .gives(&[
            DescribedResponse::new(200, "A page of the periods.", Shape::Json("Periods"))
                .with(CACHED)
                .like(&["periods"]),
            UNCHANGED,
        ])
        .refuses(&[412]),
    Operation::new("GET", "/leaderboards/:leaderboard/distribution", "readDistribution", "Read how scores are spread")
        .takes(&["buckets", "score", "period", "ifMatch", "ifNoneMatch"])
        .gives(&[
            DescribedResponse::new(200, "Counts by score, percentiles, and where the asked score would stand.", Shape::Json("Distribution"))
                .with(CACHED)
                .like(&["distribution"]),
            UNCHANGED,
        ])
        .refuses(&[412]),
];
