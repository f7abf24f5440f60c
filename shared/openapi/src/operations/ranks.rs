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
    Operation::new("GET", "/leaderboards/:leaderboard/entries", "listEntries", "List entries, or read the entries of given players")
        .about("The list begins at the top, or at a `cursor`. With `players`, the response has the entries of these players, and `not_found` lists the players without an entry; `limit` and `cursor` are not allowed then.")
        .takes(&["limitOfEntries", "cursor", "period", "players", "at", "ifMatch", "ifNoneMatch"])
        .gives(&[
            DescribedResponse::new(200, "A page of the list, or the entries of the players.", Shape::Json("Entries"))
                .with(CACHED)
                .like(&["entries", "entries-of-players"]),
            UNCHANGED,
        ])
        .refuses(&[409, 410, 412]),
    Operation::new("GET", "/leaderboards/:leaderboard/entries/:player", "readEntry", "Read a player's entry")
        .takes(&["period", "at", "ifMatch", "ifNoneMatch"])
        .gives(&[
            DescribedResponse::new(200, "The entry.", Shape::Json("Standing")).with(CACHED).like(&["entry"]),
            UNCHANGED,
        ])
        .refuses(&[409, 410, 412]),
    Operation::new("GET", "/leaderboards/:leaderboard/entries/:player/around", "listAround", "List the entries around a player")
        .about("The response has `limit` entries if the leaderboard has that many: near the top or the end, it has more entries on the other side of the player. The cursors lead to the neighbouring pages of the list.")
        .takes(&["limitOfWindow", "period", "at", "ifMatch", "ifNoneMatch"])
        .gives(&[
            DescribedResponse::new(200, "The entries around the player.", Shape::Json("Window")).with(CACHED).like(&["around"]),
            UNCHANGED,
        ])
        .refuses(&[409, 410, 412]),
    Operation::new("GET", "/leaderboards/:leaderboard/summary", "readSummary", "Read the top and the entries around a player")
        .about("The player is the player of the token, unless `player` names another one. Each part of the response is the same as the response of its own route, and is cached in the same way.")
        .takes(&["playerOfSummary", "top", "around", "period", "ifMatch", "ifNoneMatch"])
        .gives(&[
            DescribedResponse::new(200, "The top, and the entries around the player.", Shape::Json("Summary")).with(&["ETag"]).like(&["summary"]),
            DescribedResponse::unchanged().with(&["ETag"]),
        ])
        .refuses(&[412]),
    Operation::new("GET", "/leaderboards/:leaderboard/periods", "listPeriods", "List the periods that have entries")
        .about("The list is newest first.")
        .takes(&["limitOfPeriods", "cursor", "ifMatch", "ifNoneMatch"])
        .gives(&[
            DescribedResponse::new(200, "A page of periods.", Shape::Json("Periods"))
                .with(CACHED)
                .like(&["periods"]),
            UNCHANGED,
        ])
        .refuses(&[412]),
    Operation::new("GET", "/leaderboards/:leaderboard/distribution", "readDistribution", "Read the distribution of the scores")
        .about("The distribution is about the values of the first column.")
        .takes(&["buckets", "score", "period", "at", "ifMatch", "ifNoneMatch"])
        .gives(&[
            DescribedResponse::new(200, "The number of entries in each range of values, percentiles, and the rank that `score` would have.", Shape::Json("Distribution"))
                .with(CACHED)
                .like(&["distribution"]),
            UNCHANGED,
        ])
        .refuses(&[409, 410, 412]),
    Operation::new("GET", "/leaderboards/:leaderboard/standings", "readStandings", "Read the final standings of a period that has ended")
        .about("The first request makes the standings of the period final, exactly once. Later scores of the period are refused, or reopen the standings (`late_scores`). Removed and banned players still leave the list, and the ranks close up. Each entry has the name of the prize for its rank.")
        .takes(&["limitOfEntries", "cursor", "endedPeriod"])
        .gives(&[DescribedResponse::new(200, "A page of the standings.", Shape::Json("Standings")).like(&["standings"])])
        .refuses(&[409, 410]),
    Operation::new("GET", "/leaderboards/:leaderboard/claims", "listClaims", "List the players who have a prize")
        .about("The list is in the order of the ranks, and only servers read it. A player who has claimed a prize keeps it. A prize that was not claimed belongs to the player who has its rank now.")
        .takes(&["limitOfEntries", "cursor", "endedPeriod"])
        .gives(&[DescribedResponse::new(200, "A page of the prizes.", Shape::Json("Claims")).like(&["claims"])])
        .refuses(&[409, 410]),
    Operation::new("GET", "/leaderboards/:leaderboard/claims/:player", "readClaim", "Read the prize of a player")
        .about("A server reads the prize of any player; a player's token only that of its player.")
        .takes(&["endedPeriod"])
        .gives(&[DescribedResponse::new(200, "The prize of the player.", Shape::Json("ClaimOfPlayer")).like(&["claim-read"])])
        .refuses(&[409]),
    Operation::new("POST", "/leaderboards/:leaderboard/claims", "claimPrize", "Claim the prize of a player")
        .about("A server claims for any player; a player's token only for its player. A player claims one prize in a period. A repeated request returns the first claim.")
        .reads("ClaimWritten")
        .gives(&[
            DescribedResponse::new(201, "The prize is claimed.", Shape::Json("ClaimOfPlayer")).like(&["claim-created"]),
            DescribedResponse::new(200, "The player claimed the prize earlier.", Shape::Json("ClaimOfPlayer")).like(&["claim-repeated"]),
        ])
        .refuses(&[409, 410]),
    Operation::new("GET", "/leaderboards/:leaderboard/events", "listEvents", "List the events of a leaderboard")
        .about("The list is in the order of the positions, from the oldest event that the log still has, or from the event that follows the position `after`. An event of a type that this version of the service does not know has the type `unknown`.")
        .takes(&["afterPosition", "limitOfRecords"])
        .gives(&[DescribedResponse::new(200, "A part of the event log.", Shape::Json("Events")).like(&["events"])]),
    Operation::new("GET", "/players/:player/events", "listPlayerEvents", "List the events of a player in all leaderboards")
        .about("The list is in the order of the leaderboards and positions. A request looks through at most 10,000 events and the logs of 32 leaderboards, so a page can have fewer events than `limit`, or none, although the list continues: only a `next` that is `null` ends it. With a player's token, the list has the events of this player alone, and nothing about bans.")
        .takes(&["afterCursor", "limitOfRecords"])
        .gives(&[DescribedResponse::new(200, "Events of the player.", Shape::Json("PlayerEvents")).like(&["player-events"])]),
    Operation::new("GET", "/leaderboards/:leaderboard/activity", "readActivity", "Read the daily activity of a leaderboard")
        .about("The activity is a projection of the event log that the service stores. A request reads on by up to 10,000 events, so if `read_to` is less than `last`, a further request continues. The days stay for more than a year, also when the log has lost their events.")
        .takes(&["fromDay", "toDay"])
        .gives(&[DescribedResponse::new(200, "The days with submissions.", Shape::Json("Activity")).like(&["activity"])])
        .refuses(&[409]),
    Operation::new("POST", "/leaderboards/:leaderboard/activity/rebuild", "rebuildActivity", "Build the daily activity of a leaderboard again")
        .about("The service begins again with the oldest event of the log. Days of which the log has no events any more are lost.")
        .takes(&["fromDay", "toDay"])
        .gives(&[DescribedResponse::new(200, "The days with submissions.", Shape::Json("Activity")).like(&["activity"])])
        .refuses(&[409]),
    Operation::new("GET", "/players/:player/personal-bests", "readPersonalBests", "Read the personal bests of a player over time")
        .about("The list has each score that was better than all earlier ones of the player, in all periods of the leaderboard together. The service computes it from the newest 100,000 events of the log, and charges one unit of the rate limit for each 1,000 events. A server reads the bests of any player; a player's token only those of its player.")
        .takes(&["ofLeaderboard"])
        .gives(&[DescribedResponse::new(200, "The personal bests.", Shape::Json("PersonalBests")).like(&["personal-bests"])])
        .refuses(&[409, 410]),
];
