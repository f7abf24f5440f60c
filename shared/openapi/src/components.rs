//! The components that operations refer to: schemas, headers, problems, security schemes.

use leaderboard_api::schema::reference;
use leaderboard_api::{ApiVersion, IntegerFormat, ProblemType};
use serde_json::{Map, Value, json};

use crate::parameters::parameters;
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
        "X-Accel-Buffering": text("`no`: a proxy must pass on each event at once."),
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
