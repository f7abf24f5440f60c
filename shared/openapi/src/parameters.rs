//! The parameters that operations refer to.

use leaderboard_api::schema::{reference, slug};
use leaderboard_core::ports::USAGE_DAYS;
use serde_json::{Map, Value, json};

/// Returns all parameters, by the names of their components.
pub(crate) fn parameters() -> Value {
    let named = [path_parameters(), query_parameters(), header_parameters()];
    let named = named.into_iter().flat_map(|parameters| match parameters {
        Value::Object(parameters) => parameters,
        _ => Map::new(),
    });
    named
        .map(|(name, parameter)| (parameter_component(&name), parameter))
        .collect()
}

/// Returns the name of a parameter's component. Code generators put all components into one namespace, so the name differs from the
/// names of schemas.
pub(crate) fn parameter_component(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("{}{rest}Parameter", first.to_ascii_uppercase())
}

fn parameter(place: &str, name: &str, about: &str, schema: &Value) -> Value {
    json!({"name": name, "in": place, "description": about, "schema": schema})
}

/// Returns the schema of an id of a leaderboard, a tenant or an issuer, with an example.
fn slug_like(example: &str) -> Value {
    let mut schema = slug();
    schema["example"] = example.into();
    schema
}

fn path_parameters() -> Value {
    let path = |name: &str, about: &str, schema: Value| json!({"name": name, "in": "path", "required": true, "description": about, "schema": schema});
    let name = json!({"type": "string", "minLength": 1, "maxLength": 128, "example": "ann"});
    json!({
        "leaderboard": path("leaderboard", "The leaderboard's id.", slug_like("goals")),
        "player": path("player", "The player's id; at most 128 bytes of UTF-8, percent-encoded.", name),
        "tenant": path("tenant", "The tenant's id.", slug_like("default")),
        "key": path("key", "The key's id.", json!({"type": "string", "pattern": "^[0-9a-f]{16}$", "example": "3f2504e04f8911d3"})),
        "issuer": path("issuer", "The issuer's id.", slug_like("games")),
        "type": path("type", "The last part of a problem's `type`.", json!({"type": "string", "example": "validation"})),
        "letter": path("letter", "The dead letter's id.", json!({"type": "string", "pattern": "^[0-9]{1,20}$", "example": "17"})),
        "submission": path("submission", "The id of the queued submissions.", json!({"type": "string", "pattern": "^[a-z0-9-]{1,64}$", "example": "0af7651916cd43dd8448eb211c80319c"})),
        "webhook": path("webhook", "The webhook's id: at most 32 characters.", slug_like("games")),
        "message": path("message", "The message's id.", json!({"type": "string", "pattern": "^msg_[0-9a-z]{0,60}$", "example": "msg_019f7b1d2c00a1b2c3d4e5f60718293a4b5c6d7e8f90"})),
        "flag": path("flag", "The flag's key.", json!({"type": "string", "minLength": 1, "example": "new-ranks"})),
    })
}

fn query_parameters() -> Value {
    let query = |name: &str, about: &str, schema: Value| parameter("query", name, about, &schema);
    let required_query = |name: &str, about: &str, schema: Value| {
        let mut required = parameter("query", name, about, &schema);
        required["required"] = true.into();
        required
    };
    let limit = |most: u32, default: u32| {
        let schema = json!({"type": "integer", "minimum": 1, "maximum": most, "default": default});
        query("limit", "How many items the page has at most.", schema)
    };
    json!({
        "limitOfEntries": limit(1000, 10),
        "limitOfWindow": limit(1000, 11),
        "limitOfPeriods": limit(200, 100),
        "playerOfSummary": query("player", "The player whose neighbours are returned. The default is `me`, the player of the token.", json!({"type": "string", "minLength": 1, "maxLength": 128})),
        "top": query("top", "How many entries of the top are returned.", json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 10})),
        "topOfStream": query("top", "How many entries of the top the stream shows.", json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 10})),
        "playerOfStream": query("player", "The player whose entry the stream shows. The default is the player of the token; without one, the stream shows no player's entry.", json!({"type": "string", "minLength": 1, "maxLength": 128})),
        "ticket": query("ticket", "A ticket of `POST /leaderboards/{leaderboard}/live-tickets`, for clients that cannot send a header.", json!({"type": "string", "maxLength": 4096})),
        "lastEventId": query("last_event_id", "As the header `Last-Event-ID`, for clients that cannot send it.", json!({"type": "string"})),
        "around": query("around", "How many entries are returned around the player, including the entry of the player.", json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 5})),
        "limitOfDocuments": limit(200, 50),
        "limitOfRecords": limit(1000, 100),
        "cursor": query("cursor", "Which page is returned: the value of `next` or `previous` of another page. A cursor works in both versions.", json!({"type": "string"})),
        "period": query("period", "The period: `current`, `previous`, the id of a period, an instant in a period, or a date in the time zone of the leaderboard.", json!({"type": "string", "default": "current", "example": "current"})),
        "endedPeriod": query("period", "A period that has ended: `previous`, the id of a period, an instant in a period, or a date in the time zone of the leaderboard. If the leaderboard has ended, also `current`.", json!({"type": "string", "default": "previous", "example": "previous"})),
        "players": query("players", "The players whose entries are returned: up to 200, with commas between them. A comma within the id of a player is sent as `%2C`.", json!({"type": "string", "minLength": 1})),
        "buckets": query("buckets", "How many buckets are returned at most.", json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 20})),
        "score": query("score", "A score. The response then also has the rank and the percentile that this score would have.", json!({"type": "string", "pattern": "^-?[0-9]{1,19}$"})),
        "rebuild": query("rebuild", "Whether the service may reorder the entries of the current period, if the change requires it. It also verifies the stored counts of a period, and repairs them.", json!({"type": "boolean", "default": false})),
        "periodOfRebuild": query("period", "The period whose stored counts a rebuild verifies and repairs: `current`, `previous`, the id of a period, an instant in a period, or a date in the time zone of the leaderboard. Needs `rebuild=true`.", json!({"type": "string", "default": "current", "example": "current"})),
        "days": query("days", "How many days are returned at most, newest first. Days without usage are left out.", json!({"type": "integer", "minimum": 1, "maximum": USAGE_DAYS, "default": 30})),
        "ofTenant": query("tenant", "Only dead letters of this tenant are returned. Needs the key of the operator.", slug_like("default")),
        "at": query("at", "An instant: the leaderboard is returned as it was then, from a replay of its event log. Such a response is not cached, and costs one unit of the rate limit for each 1,000 events. A cursor of such a list has the instant, so `at` can be left out with a cursor.", json!({"type": "string", "format": "date-time"})),
        "swap": query("swap", "Whether entries that differ from the replay are corrected.", json!({"type": "boolean", "default": false})),
        "afterComparison": query("after", "Where the comparison continues: the value of `next` of another response.", json!({"type": "string"})),
        "fromDay": query("from", "The first day (UTC). The default is 29 days before `to`.", json!({"type": "string", "format": "date"})),
        "toDay": query("to", "The last day (UTC). The default is today.", json!({"type": "string", "format": "date"})),
        "ofLeaderboard": required_query("leaderboard", "The leaderboard.", slug_like("goals")),
        "afterPosition": query("after", "Only events after this position are returned: the value of `next` of another page.", json!({"type": "integer", "minimum": 0, "default": 0})),
        "afterCursor": query("after", "Which page is returned: the value of `next` of another page.", json!({"type": "string"})),
        "before": query("before", "Only records before this position are returned: the value of `next` of another page.", json!({"type": "integer", "minimum": 1})),
        "tenantInAddress": query("tenant", "The tenant, as with the header `X-Tenant-ID`. A shared cache always distinguishes addresses, but not always headers.", slug_like("default")),
    })
}

fn header_parameters() -> Value {
    let header = |name: &str, about: &str, schema: Value| parameter("header", name, about, &schema);
    let tags = json!({"type": "string", "pattern": "^(\\*|(W/)?\"[!#-~]*\")$", "example": "\"17\""});
    json!({
        "ifMatch": header("If-Match", "The request is only carried out if the entity tag of the document is one of these (RFC 9110).", tags.clone()),
        "ifNoneMatch": header("If-None-Match", "The request is only carried out if the entity tag of the document is not one of these (RFC 9110).", tags),
        "idempotencyKey": header("Idempotency-Key", "A string in double quotes that identifies the request. A repetition within 24 hours with the same key changes nothing. A request with the same key and another body is refused.", json!({"type": "string", "pattern": "^\"[ !#-\\[\\]-~]{1,255}\"$", "example": "\"import-7\""})),
        "lastEventIdHeader": header("Last-Event-ID", "The id of the last event that the client has. If the state is still the same, the stream begins without an event.", json!({"type": "string"})),
        "prefer": header("Prefer", "With `return=minimal`, the response has no values and no ranks. With `respond-async`, the submissions are stored in the queue and applied after the response (RFC 7240).", json!({"type": "string", "enum": ["return=minimal", "return=representation", "respond-async"]})),
        "integers": header("API-Integers", "With `string`, all 64-bit integers of the response are strings: scores, values, limits, quotas, usage and versions. Ranks, counts of entries and positions in the audit log are never greater than 2^53 − 1, and stay numbers.", reference("IntegerFormat")),
        "tenantId": header("X-Tenant-ID", "The tenant of the request, if the credential does not name one: with the key of the operator, or without a credential. The default is `default`.", slug_like("default")),
    })
}
