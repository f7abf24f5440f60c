//! Compares responses with the description: status, headers, media type and body of every response that a test gets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, Method};
use jsonschema::Validator;
use leaderboard_api::{ApiVersion, IntegerFormat, ProblemType};
use leaderboard_pipeline::Base;
use serde_json::{Map, Value, json};

use crate::document;
use crate::routes::all_routes;

/// A request and its response.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// The request's path, without the query.
    pub path: &'a str,
    /// The response's status.
    pub status: u16,
    /// The response's headers.
    pub headers: &'a HeaderMap,
    /// The response's body.
    pub body: &'a [u8],
}

/// Compares a response with the description of its version. `integers` is the form of 64-bit integers that the request asked for.
///
/// # Errors
/// The difference between the response and the description.
pub fn check(exchange: &Exchange<'_>, integers: IntegerFormat) -> Result<(), String> {
    Conformance::of(exchange.version(), integers).check(exchange)
}

impl Exchange<'_> {
    /// Returns the version of the response: from the path, or from the header `API-Version`, or the newest version.
    fn version(&self) -> ApiVersion {
        let in_path = ApiVersion::ALL
            .into_iter()
            .find(|version| self.path.starts_with(&format!("{}/", version.base_path())));
        let named = self
            .headers
            .get("api-version")
            .and_then(|version| version.to_str().ok());
        let in_header = ApiVersion::ALL
            .into_iter()
            .find(|version| named == Some(version.number().to_string().as_str()));
        in_path.or(in_header).unwrap_or(ApiVersion::V2)
    }
}

/// The description of one version, and validators of its schemas.
#[derive(Debug)]
pub struct Conformance {
    document: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Conformance {
    /// Returns the description of a version. Makes it only once.
    pub fn of(version: ApiVersion, integers: IntegerFormat) -> &'static Self {
        static V1: [OnceLock<Conformance>; 2] = [const { OnceLock::new() }; 2];
        static V2: [OnceLock<Conformance>; 2] = [const { OnceLock::new() }; 2];
        let [either, strings] = match version {
            ApiVersion::V1 => &V1,
            ApiVersion::V2 => &V2,
        };
        let known = match integers {
            IntegerFormat::NumberOrString => either,
            IntegerFormat::String => strings,
        };
        known.get_or_init(|| Self {
            document: document(version, integers),
            validators: Mutex::default(),
        })
    }

    fn check(&self, exchange: &Exchange<'_>) -> Result<(), String> {
        let described = self.described(exchange)?;
        self.check_headers(&described, exchange.headers)?;
        let content = described.get("content").and_then(Value::as_object);
        self.check_content(content, exchange)
    }

    /// Validates a document against a schema, which may refer to the components.
    ///
    /// # Errors
    /// The places where the document differs from the schema.
    pub fn check_document(&self, schema: &Value, document: &Value) -> Result<(), String> {
        let validator = self.validator(schema)?;
        let faults: Vec<String> = validator
            .iter_errors(document)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults.join("; "))
        }
    }

    /// Returns the description of the response.
    fn described(&self, exchange: &Exchange<'_>) -> Result<Value, String> {
        let status = exchange.status;
        let Some(path) = self.path(exchange) else {
            return match status {
                // A path without a route goes through the same pipeline, so the response can be about a header or a limit.
                400 | 404 | 405 | 413 | 414 | 431 => Ok(self.problem(status)),
                // The host responds to paths that no component serves.
                _ => Err(format!("a status of {status} at a path that is not described")),
            };
        };
        let method = match *exchange.method {
            Method::HEAD => "get".to_owned(),
            ref method => method.as_str().to_lowercase(),
        };
        let Some(operation) = path.get(&method) else {
            return match status {
                400 | 405 | 413 | 414 | 431 => Ok(self.problem(status)),
                // The response to a preflight request (the Fetch standard) is not part of the API.
                204 if *exchange.method == Method::OPTIONS => Ok(json!({})),
                _ => Err(format!("a status of {status} to a method that is not described")),
            };
        };
        let described = operation["responses"].get(status.to_string());
        let described = described.ok_or_else(|| format!("the status {status} is not described"))?;
        Ok(self.resolved(described).clone())
    }

    /// Returns the operations of the path. For a path without a version, the version of the response counts.
    fn path(&self, exchange: &Exchange<'_>) -> Option<&Map<String, Value>> {
        let path = match exchange.path.strip_prefix("/api/") {
            Some(below) if !below.starts_with("v1/") && !below.starts_with("v2/") => {
                format!("{}/{below}", exchange.version().base_path())
            }
            _ => exchange.path.to_owned(),
        };
        let fits = |template: &str| {
            let mut segments = path.split('/');
            let all = template.split('/').all(|expected| {
                segments
                    .next()
                    .is_some_and(|segment| expected.starts_with('{') || expected == segment)
            });
            all && segments.next().is_none()
        };
        let paths = self.document["paths"].as_object()?;
        if let Some((_, found)) = paths.iter().find(|(template, _)| fits(template)) {
            return found.as_object();
        }
        // Some routes are described at the root only, and also answer below `/api`.
        let (_, below) = path.strip_prefix("/api/v")?.split_once('/')?;
        let at_root = all_routes()
            .into_iter()
            .filter(|(_, route)| route.base == Base::RootAndApi);
        let mut patterns = at_root.map(|(_, route)| route.pattern.trim_start_matches('/'));
        let pattern = patterns.find(|pattern| *pattern == below)?;
        paths.get(&format!("/{pattern}"))?.as_object()
    }

    fn problem(&self, status: u16) -> Value {
        self.document["components"]["responses"][format!("Problem{status}")].clone()
    }

    /// Returns the value that a reference refers to; returns any other value unchanged.
    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let reference = value.get("$ref").and_then(Value::as_str);
        let pointer = reference.and_then(|reference| reference.strip_prefix('#'));
        pointer
            .and_then(|pointer| self.document.pointer(pointer))
            .unwrap_or(value)
    }

    /// Checks that the response has all required headers. Also checks that every header that is a component is described for this
    /// response.
    fn check_headers(&self, described: &Value, headers: &HeaderMap) -> Result<(), String> {
        let empty = Map::new();
        let Some(listed) = described.get("headers").and_then(Value::as_object) else {
            return Ok(());
        };
        for (name, header) in listed {
            let required = self.resolved(header)["required"] == true;
            if required && !headers.contains_key(name.as_str()) {
                return Err(format!("the header {name} is missing"));
            }
        }
        let known = self.document["components"]["headers"]
            .as_object()
            .unwrap_or(&empty);
        for name in known.keys() {
            if headers.contains_key(name.as_str()) && !listed.contains_key(name) {
                return Err(format!("the header {name} is not described"));
            }
        }
        Ok(())
    }

    fn check_content(
        &self,
        content: Option<&Map<String, Value>>,
        exchange: &Exchange<'_>,
    ) -> Result<(), String> {
        let named = exchange.headers.get(CONTENT_TYPE);
        let media_type = named.map(|value| value.to_str().unwrap_or_default());
        let essence = media_type
            .and_then(|text| text.split(';').next())
            .unwrap_or_default();
        let head = *exchange.method == Method::HEAD;
        let Some(content) = content else {
            return match (exchange.body.is_empty(), media_type) {
                (false, _) => Err("there is a body where none is described".to_owned()),
                // A 304 response and a response to HEAD may have the media type of the body that they leave out.
                (true, Some(_)) if exchange.status != 304 && !head => {
                    Err("there is a media type without a body".to_owned())
                }
                (true, _) => Ok(()),
            };
        };
        let described = content
            .get(essence)
            .ok_or_else(|| format!("the media type {essence:?} is not described"))?;
        if head {
            return match exchange.body {
                [] => Ok(()),
                _ => Err("there is a body in an answer to HEAD".to_owned()),
            };
        }
        if exchange.headers.contains_key(CONTENT_ENCODING) || !essence.ends_with("json") {
            return Ok(());
        }
        let body = serde_json::from_slice(exchange.body).map_err(|error| error.to_string())?;
        self.check_document(&described["schema"], &body)?;
        if essence == "application/problem+json" {
            check_problem(&body, exchange.status)
        } else {
            Ok(())
        }
    }

    fn validator(&self, schema: &Value) -> Result<Arc<Validator>, String> {
        let key = schema.to_string();
        let mut known = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = known.get(&key) {
            return Ok(Arc::clone(validator));
        }
        // References lead into the components, so the components must be in the same document.
        let mut whole = schema.clone();
        whole["components"] = json!({"schemas": self.document["components"]["schemas"]});
        let made = jsonschema::options()
            .should_validate_formats(true)
            .build(&whole)
            .map_err(|error| error.to_string())?;
        let made = Arc::new(made);
        known.insert(key, Arc::clone(&made));
        Ok(made)
    }
}

/// Checks that a problem has a type of the catalogue, and the status of that type.
fn check_problem(problem: &Value, status: u16) -> Result<(), String> {
    let known = ProblemType::ALL
        .iter()
        .any(|kind| kind.status().as_u16() == status && problem["type"] == kind.uri());
    if known && problem["status"] == status {
        Ok(())
    } else {
        Err(format!(
            "the problem {} of status {} came with status {status}",
            problem["type"], problem["status"]
        ))
    }
}
