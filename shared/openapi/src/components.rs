//! The components that operations refer to: schemas, parameters, headers, problems, security schemes.

use leaderboard_api::schema::{reference, slug};
use leaderboard_api::{ApiVersion, IntegerFormat, catalogue};
use leaderboard_core::ports::USAGE_DAYS;
use serde_json::{Map, Value, json};

use crate::references;
use crate::schemas::schemas;

/// The names of the security schemes. Code generators put all components into one namespace and ignore case, so the names differ from
/// the schemas `Key` and `Token`.
pub(crate) const KEY_SCHEME: &str = "apiKey";
pub(crate) const TOKEN_SCHEME: &str = "bearerToken";

/// The schemas of documents of flagd and OpenFeature, which may have more fields than the API reads.
const OF_OTHER_PROTOCOLS: [&str; 2] = ["FlagSet", "OfrepContext"];

/// Returns all components of a version.
pub(crate) fn components(version: ApiVersion, integers: IntegerFormat) -> Value {
    let mut schemas = schemas(version, integers);
    references::close_objects(&mut schemas, &OF_OTHER_PROTOCOLS);
    references::open_free_forms(&mut schemas);
    references::bound_wide_integers(&mut schemas);
    json!({
        "schemas": schemas,
        "parameters": parameters(),
        "headers": headers(),
        "responses": problems(),
        "securitySchemes": {
            KEY_SCHEME: {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key, or the operator's."},
            TOKEN_SCHEME: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token of a configured issuer, or a player's own."},
        },
    })
}

/// Returns the schema of an id of a leaderboard, a tenant or an issuer, with an example.
fn slug_like(example: &str) -> Value {
    let mut schema = slug();
    schema["example"] = example.into();
    schema
}

fn parameters() -> Value {
    let query = |name: &str, about: &str, schema: Value| json!({"name": name, "in": "query", "description": about, "schema": schema});
    let path = |name: &str, about: &str, schema: Value| json!({"name": name, "in": "path", "required": true, "description": about, "schema": schema});
    let header = |name: &str, about: &str, schema: Value| json!({"name": name, "in": "header", "description": about, "schema": schema});
    let limit = |most: u32, default: u32| {
        query(
            "limit",
            "How many on a page.",
            json!({"type": "integer", "minimum": 1, "maximum": most, "default": default}),
        )
    };
    let tags = json!({"type": "string", "pattern": "^(\\*|(W/)?\"[!#-~]*\")$", "example": "\"17\""});
    let name = json!({"type": "string", "minLength": 1, "maxLength": 128, "example": "ann"});
    let mut all = json!({
        "leaderboard": path("leaderboard", "The leaderboard's id.", slug_like("goals")),
        "player": path("player", "The player's id; at most 128 bytes of UTF-8, percent-encoded.", name),
        "tenant": path("tenant", "The tenant's id.", slug_like("default")),
        "key": path("key", "The key's id.", json!({"type": "string", "pattern": "^[0-9a-f]{16}$", "example": "3f2504e04f8911d3"})),
        "issuer": path("issuer", "The issuer's id.", slug_like("games")),
        "type": path("type", "The last part of a problem's `type`.", json!({"type": "string", "example": "validation"})),
        "letter": path("letter", "The dead letter's id.", json!({"type": "string", "pattern": "^[0-9]{1,20}$", "example": "17"})),
        "flag": path("flag", "The flag's key.", json!({"type": "string", "minLength": 1, "example": "new-ranks"})),
        "limitOfEntries": limit(1000, 10),
        "limitOfWindow": limit(1000, 11),
        "limitOfPeriods": limit(200, 100),
        "playerOfSummary": query("player", "The player whose neighbours are asked for. The default is `me`, the player of the token.", json!({"type": "string", "minLength": 1, "maxLength": 128})),
        "top": query("top", "How many entries of the top.", json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 10})),
        "around": query("around", "How many entries the window around the player has.", json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 5})),
        "limitOfDocuments": limit(200, 50),
        "limitOfRecords": limit(1000, 100),
        "cursor": query("cursor", "Where the list goes on: what a page gave as `next` or `previous`. It works in both versions.", json!({"type": "string"})),
        "period": query("period", "`current`, `previous`, a period's id, an instant in it, or a date in the leaderboard's time zone.", json!({"type": "string", "default": "current", "example": "current"})),
        "players": query("players", "Up to 200 players with commas between them; a comma within a name is sent as `%2C`.", json!({"type": "string", "minLength": 1})),
        "buckets": query("buckets", "How many buckets.", json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 20})),
        "score": query("score", "A score whose place is asked for.", json!({"type": "string", "pattern": "^-?[0-9]{1,19}$"})),
        "rebuild": query("rebuild", "Whether entries of the current period may be put into a new order.", json!({"type": "boolean", "default": false})),
        "days": query("days", "How many days.", json!({"type": "integer", "minimum": 1, "maximum": USAGE_DAYS, "default": 30})),
    });
    let query_of_read = query(
        "tenant",
        "The same in the address, where every shared cache sees it.",
        slug_like("default"),
    );
    let more = json!({
        "ofTenant": query("tenant", "The tenant whose they are.", slug_like("default")),
        "before": query("before", "A position: what a page gave as `next`.", json!({"type": "integer", "minimum": 1})),
        "ifMatch": header("If-Match", "Go on only if the document has one of these entity tags (RFC 9110).", tags.clone()),
        "ifNoneMatch": header("If-None-Match", "Go on only if the document has none of these entity tags (RFC 9110).", tags),
        "idempotencyKey": header("Idempotency-Key", "Makes a request count once within 24 hours: a string in double quotes. With another body it is refused.", json!({"type": "string", "pattern": "^\"[ !#-\\[\\]-~]{1,255}\"$", "example": "\"import-7\""})),
        "prefer": header("Prefer", "`return=minimal` leaves values and ranks out (RFC 7240).", json!({"type": "string", "enum": ["return=minimal", "return=representation"]})),
        "integers": header("API-Integers", "`string`: all 64-bit integers of the answer are strings: scores, values, limits, quotas, usage and versions. Ranks, counts of entries and positions in the audit log never pass 2^53 − 1, and stay numbers.", reference("IntegerFormat")),
        "tenantId": header("X-Tenant-ID", "The tenant, where the credential has none of its own: with the operator's key, and without a credential.", slug_like("default")),
        "tenantInAddress": query_of_read,
    });
    if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
        all.extend(more);
    }
    let named = all.as_object().into_iter().flatten();
    named
        .map(|(name, parameter)| (parameter_component(name), parameter.clone()))
        .collect()
}

/// Returns the name of a parameter's component. Code generators put all components into one namespace, so the name differs from the
/// names of schemas.
pub(crate) fn parameter_component(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("{}{rest}Parameter", first.to_ascii_uppercase())
}

/// The headers that every response has or can have.
pub(crate) const OF_EVERY_ANSWER: [&str; 8] = [
    "X-Request-Id",
    "API-Version",
    "Cache-Control",
    "RateLimit-Policy",
    "RateLimit",
    "Deprecation",
    "Sunset",
    "Link",
];

/// The headers of every file that is part of a component.
pub(crate) const OF_FILES: [&str; 2] = ["X-Request-Id", "Cache-Control"];

/// Returns references to the components of headers.
pub(crate) fn header_references<'a>(names: impl IntoIterator<Item = &'a &'a str>) -> Map<String, Value> {
    let references = names.into_iter().map(|name| {
        let reference = json!({"$ref": format!("#/components/headers/{name}")});
        ((*name).to_owned(), reference)
    });
    references.collect()
}

fn headers() -> Value {
    let text = |about: &str| json!({"description": about, "schema": {"type": "string"}});
    let always = |about: &str| json!({"description": about, "required": true, "schema": {"type": "string"}});
    json!({
        "X-Request-Id": text("The trace id; not in an answer that a shared cache may store."),
        "API-Version": text("The version of the answer."),
        "Cache-Control": always("How long the answer may be kept."),
        "RateLimit-Policy": text("The limits that hold: `\"player\";q=100;w=1`."),
        "RateLimit": text("What is left of them: `\"player\";r=42;t=1`."),
        "Deprecation": text("Since when the version is deprecated (RFC 9745)."),
        "Sunset": text("Until when it is answered (RFC 8594)."),
        "Link": text("The successor of the version, and a page about it."),
        "ETag": text("The entity tag of the document."),
        "Location": text("The address of what was created."),
        "Preference-Applied": text("The preference that was followed (RFC 7240)."),
        "Retry-After": text("After how many seconds to try again."),
        "WWW-Authenticate": text("The credentials that are accepted."),
        "Allow": text("The methods there are."),
        "Accept-Patch": text("The bodies that a PATCH takes (RFC 5789)."),
        "Cache-Status": text("What the cache did (RFC 9211)."),
        "CDN-Cache-Control": text("How long a shared cache may keep the answer (RFC 9213)."),
        "Cache-Groups": text("What is invalidated together (RFC 9875)."),
        "Cache-Group-Invalidation": text("What caches drop by this write (RFC 9875)."),
        "Age": text("How old the answer is, in seconds."),
        "Content-Encoding": text("`gzip`, if `Accept-Encoding` accepts it."),
    })
}

/// Returns the statuses that problems have.
pub(crate) fn statuses() -> Vec<u16> {
    let mut statuses: Vec<u16> = catalogue().map(|entry| entry.status).collect();
    statuses.dedup();
    statuses
}

/// Returns the headers of problems with a status.
fn of_status(status: u16) -> &'static [&'static str] {
    match status {
        401 => &["WWW-Authenticate"],
        405 => &["Allow"],
        412 => &["ETag"],
        415 => &["Accept-Patch"],
        429 | 503 => &["Retry-After"],
        _ => &[],
    }
}

/// Returns a response for each status, with all problems that have the status.
fn problems() -> Value {
    let mut responses = Map::new();
    for status in statuses() {
        let of_this: Vec<_> = catalogue().filter(|entry| entry.status == status).collect();
        let lines: Vec<String> = of_this
            .iter()
            .map(|entry| format!("- `{}`: {}", entry.uri, entry.meaning))
            .collect();
        let examples: Map<String, Value> = of_this
            .iter()
            .map(|entry| {
                let name = entry.uri.rsplit('/').next().unwrap_or_default();
                let value = json!({
                    "type": entry.uri, "title": entry.title, "status": status, "detail": entry.meaning,
                    "instance": "0af7651916cd43dd8448eb211c80319c",
                });
                (name.to_owned(), json!({"summary": entry.title, "value": value}))
            })
            .collect();
        let schema = reference("Problem");
        responses.insert(
            format!("Problem{status}"),
            json!({
                "description": lines.join("\n"),
                "headers": header_references(OF_EVERY_ANSWER.iter().chain(of_status(status))),
                "content": {"application/problem+json": {"schema": schema, "examples": examples}},
            }),
        );
    }
    Value::Object(responses)
}
