//! The operations of live updates.

use crate::operation::{DescribedResponse, Operation, Shape};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GET", "/leaderboards/:leaderboard/live", "streamLeaderboard", "Stream the changes of a leaderboard")
        .about("The response is a stream of server-sent events. The event `snapshot` has the top of the list, and the entry of one player; `change` has what differs from the state before it; `period` has the whole state when another period begins. An event comes at most every 250 ms, and a comment after 15 s without an event. The stream ends after at most 5 minutes, and the client resumes with `Last-Event-ID`, as `EventSource` does by itself: if nothing has changed it gets no event, otherwise a snapshot. `docs/guide/live-updates.md` describes the data of each event.")
        .takes(&["topOfStream", "playerOfStream", "period", "ticket", "lastEventId", "lastEventIdHeader"])
        .gives(&[DescribedResponse::new(200, "The stream.", Shape::Text("text/event-stream")).with(&["X-Accel-Buffering"]).like(&["live-stream"])])
        .refuses(&[409]),
    Operation::new("POST", "/leaderboards/:leaderboard/live-tickets", "issueLiveTicket", "Issue a ticket for a stream")
        .about("`EventSource` in a browser cannot send a header with a token, so the address of a stream can have a ticket. A stream of exactly this leaderboard and player can be opened with it for 60 seconds. A ticket of a server is for what its player sees, as a player's token is. The response is 409 if the operator has not set the variable `player_token_secret`.")
        .reads("LiveTicketWritten")
        .gives(&[DescribedResponse::new(201, "The ticket.", Shape::Json("LiveTicket")).like(&["live-ticket-issued"])])
        .refuses(&[409]),
];
