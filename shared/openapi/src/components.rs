//! The components that operations refer to: schemas, parameters, headers, problems, security schemes.

use leaderboard_api::schema::{reference, slug};
use leaderboard_api::{ApiVersion, IntegerFormat, ProblemType};
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
            KEY_SCHEME: {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key, or the key of the operator."},
            TOKEN_SCHEME: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token of an issuer that the service accepts, or a player's token that `POST /tokens` issued."},
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
        let schema = json!({"type": "integer", "minimum": 1, "maximum": most, "default": default});
        query("limit", "How many items the page has at most.", schema)
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
        "submission": path("submission", "The id of the queued submissions.", json!({"type": "string", "pattern": "^[a-z0-9-]{1,64}$", "example": "0af7651916cd43dd8448eb211c80319c"})),
        "flag": path("flag", "The flag's key.", json!({"type": "string", "minLength": 1, "example": "new-ranks"})),
        "limitOfEntries": limit(1000, 10),
        "limitOfWindow": limit(1000, 11),
        "limitOfPeriods": limit(200, 100),
        "playerOfSummary": query("player", "The player whose neighbours are returned. The default is `me`, the player of the token.", json!({"type": "string", "minLength": 1, "maxLength": 128})),
        "top": query("top", "How many entries of the top are returned.", json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 10})),
        "around": query("around", "How many entries are returned around the player, including the entry of the player.", json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 5})),
        "limitOfDocuments": limit(200, 50),
        "limitOfRecords": limit(1000, 100),
        "cursor": query("cursor", "Which page is returned: the value of `next` or `previous` of another page. A cursor works in both versions.", json!({"type": "string"})),
        "period": query("period", "The period: `current`, `previous`, the id of a period, an instant in a period, or a date in the time zone of the leaderboard.", json!({"type": "string", "default": "current", "example": "current"})),
        "players": query("players", "The players whose entries are returned: up to 200, with commas between them. A comma within the id of a player is sent as `%2C`.", json!({"type": "string", "minLength": 1})),
        "buckets": query("buckets", "How many buckets are returned at most.", json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 20})),
        "score": query("score", "A score. The response then also has the rank and the percentile that this score would have.", json!({"type": "string", "pattern": "^-?[0-9]{1,19}$"})),
        "rebuild": query("rebuild", "Whether the service may reorder the entries of the current period, if the change requires it.", json!({"type": "boolean", "default": false})),
        "days": query("days", "How many days are returned at most, newest first. Days without usage are left out.", json!({"type": "integer", "minimum": 1, "maximum": USAGE_DAYS, "default": 30})),
    });
    let query_of_read = query(
        "tenant",
        "The tenant, as with the header `X-Tenant-ID`. A shared cache always distinguishes addresses, but not always headers.",
        slug_like("default"),
    );
    let more = json!({
        "ofTenant": query("tenant", "Only dead letters of this tenant are returned. Needs the key of the operator.", slug_like("default")),
        "before": query("before", "Only records before this position are returned: the value of `next` of another page.", json!({"type": "integer", "minimum": 1})),
        "ifMatch": header("If-Match", "The request is only carried out if the entity tag of the document is one of these (RFC 9110).", tags.clone()),
        "ifNoneMatch": header("If-None-Match", "The request is only carried out if the entity tag of the document is not one of these (RFC 9110).", tags),
        "idempotencyKey": header("Idempotency-Key", "A string in double quotes that identifies the request. A repetition within 24 hours with the same key changes nothing. A request with the same key and another body is refused.", json!({"type": "string", "pattern": "^\"[ !#-\\[\\]-~]{1,255}\"$", "example": "\"import-7\""})),
        "prefer": header("Prefer", "With `return=minimal`, the response has no values and no ranks. With `respond-async`, the submissions are stored in the queue and applied after the response (RFC 7240).", json!({"type": "string", "enum": ["return=minimal", "return=representation", "respond-async"]})),
        "integers": header("API-Integers", "With `string`, all 64-bit integers of the response are strings: scores, values, limits, quotas, usage and versions. Ranks, counts of entries and positions in the audit log are never greater than 2^53 − 1, and stay numbers.", reference("IntegerFormat")),
        "tenantId": header("X-Tenant-ID", "The tenant of the request, if the credential does not name one: with the key of the operator, or without a credential. The default is `default`.", slug_like("default")),
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
        "X-Request-Id": text("The trace id of the request. A response that a shared cache may store does not have it."),
        "API-Version": text("The version of the API that made the response."),
        "Cache-Control": always("Who may store the response, and for how long (RFC 9111)."),
        "RateLimit-Policy": text("The rate limits that apply, each with its quota `q` in a window of `w` seconds: `\"player\";q=100;w=1`."),
        "RateLimit": text("How many requests remain (`r`), and in how many seconds there will be more (`t`): `\"player\";r=42;t=1`."),
        "Deprecation": text("Since when this version of the API is deprecated (RFC 9745)."),
        "Sunset": text("When this version of the API will end (RFC 8594)."),
        "Link": text("Links to the next version of the API, and to a page about the change."),
        "ETag": text("The entity tag of the document."),
        "Location": text("The address of the new document, or of the state of a queued request."),
        "Preference-Applied": text("The preference of the request that was applied (RFC 7240)."),
        "Retry-After": text("After how many seconds the client may try again."),
        "WWW-Authenticate": text("The kinds of credentials that the service accepts."),
        "Allow": text("The methods that the path supports."),
        "Accept-Patch": text("The media types that `PATCH` accepts (RFC 5789)."),
        "Cache-Status": text("What the cache of the service did for the request (RFC 9211)."),
        "CDN-Cache-Control": text("How long a shared cache may store the response (RFC 9213)."),
        "Cache-Groups": text("The groups of the response; a write invalidates all cached responses of a group (RFC 9875)."),
        "Cache-Group-Invalidation": text("The groups whose cached responses this write invalidates (RFC 9875)."),
        "Age": text("How old the response is, in seconds."),
        "Content-Encoding": text("`gzip`, if `Accept-Encoding` allows it."),
    })
}

/// Returns the statuses that problems have.
pub(crate) fn statuses() -> Vec<u16> {
    let all = ProblemType::ALL.iter();
    let mut statuses: Vec<u16> = all.map(|kind| kind.status().as_u16()).collect();
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
        let all = ProblemType::ALL.iter();
        let of_this: Vec<_> = all.filter(|kind| kind.status().as_u16() == status).collect();
        let lines: Vec<String> = of_this
            .iter()
            .map(|kind| format!("- `{}`: {}", kind.uri(), kind.meaning()))
            .collect();
        let examples: Map<String, Value> = of_this
            .iter()
            .map(|kind| {
                let name = kind.uri().rsplit('/').next().unwrap_or_default();
                let value = json!({
                    "type": kind.uri(), "title": kind.title(), "status": status, "detail": kind.meaning(),
                    "instance": "0af7651916cd43dd8448eb211c80319c",
                });
                (name.to_owned(), json!({"summary": kind.title(), "value": value}))
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
