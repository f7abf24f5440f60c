//! The administrative commands, `edgeboard <noun> <verb>`: a table of operations, and the code that runs any of them.

mod arguments;
mod body;
mod comparison;
mod list;
mod moving;
mod nouns;
mod operation;
mod render;
mod transfer;

use clap::ArgMatches;
use reqwest::{Method, Url};
use serde_json::Value;

use crate::args::Global;
use crate::client::{ApiClient, ApiRequest};
use crate::error::CliError;
use crate::output;
use crate::retry::generate_id;
use crate::wire::parse_body;
use operation::{AdminOperation, AnswerFormat};

pub(crate) use arguments::build_commands;

/// The problem type when the idempotency key was used before: an earlier attempt succeeded, and its response was lost.
const ALREADY_DONE: &str = "/problems/already-done";
/// How many digits the id of an API key has.
const KEY_ID_DIGITS: usize = 16;

/// An administrative command of a parsed command line.
pub(crate) struct AdminCommand<'a> {
    operation: &'static AdminOperation,
    matches: &'a ArgMatches,
}

impl<'a> AdminCommand<'a> {
    /// Returns the administrative command of a parsed command line; `None` when the line has another command.
    pub(crate) fn find(matches: &'a ArgMatches) -> Option<Self> {
        let (name, matches) = matches.subcommand()?;
        let noun = nouns::NOUNS.iter().find(|noun| noun.name == name)?;
        let (verb, matches) = matches.subcommand()?;
        let operation = noun.operations.iter().find(|operation| operation.verb == verb)?;
        Some(Self { operation, matches })
    }

    /// Sends the request and prints the response.
    ///
    /// # Errors
    /// The arguments are invalid, the request fails, or the server refuses it.
    pub(crate) async fn run(&self, global: &Global) -> Result<(), CliError> {
        let client = global.create_client()?;
        match self.operation.view {
            AnswerFormat::ExportedLines => return transfer::export(&client, self.named()).await,
            AnswerFormat::ImportedLines => return transfer::import(&client, self.named()).await,
            _ => {}
        }
        let request = self.build_request(&client)?;
        if matches!(self.operation.view, AnswerFormat::Comparison) {
            let body = comparison::compare_all(&client, &request).await?;
            return self.print_response(global, &body, None);
        }
        if matches!(self.operation.view, AnswerFormat::Move) {
            let body = moving::finish_move(&client, &request).await?;
            return self.print_response(global, &body, None);
        }
        if let Some(paged) = self.operation.paged {
            let body = list::read_list(&client, &request, paged, self.matches, self.member()).await?;
            return self.print_response(global, &body, None);
        }
        let reply = client.send(&request).await?;
        let etag = reply.etag.clone();
        let body = reply
            .into_success_body()
            .map_err(|failure| self.with_remedy(failure))?;
        self.print_response(global, &body, etag.as_deref())
    }

    /// Adds a remedy to the error when an earlier attempt created the secret and its response was lost.
    fn with_remedy(&self, failure: CliError) -> CliError {
        match failure {
            CliError::Refused(problem) if self.operation.creates && problem.kind == ALREADY_DONE => {
                let key = problem.detail.split_whitespace().find(|word| is_key_id(word));
                let key = key.unwrap_or("ID").to_owned();
                CliError::SecretLost { problem, key }
            }
            failure => failure,
        }
    }

    fn build_request(&self, client: &ApiClient) -> Result<ApiRequest, CliError> {
        let method = Method::from_bytes(self.operation.method.as_bytes())
            .map_err(|error| CliError::Usage(error.to_string()))?;
        let body = body::build_body(self.operation.body, self.matches)?;
        Ok(ApiRequest {
            headers: self.headers()?,
            body: body.map(|body| body.to_string()),
            ..ApiRequest::new(method, self.build_url(client)?)
        })
    }

    fn build_url(&self, client: &ApiClient) -> Result<Url, CliError> {
        let named: Vec<&str> = self
            .operation
            .arguments()
            .filter_map(|name| arguments::path_argument(self.matches, name))
            .collect();
        let path = match self.operation.path_without {
            Some(path) if named.is_empty() => path,
            _ => self.operation.path,
        };
        let mut named = named.into_iter();
        let mut segments = Vec::new();
        if self.is_set(arguments::OPERATOR) {
            segments.push("operator");
        }
        for segment in path.split('/').skip(1) {
            segments.push(if segment.starts_with('{') {
                named.next().unwrap_or_default()
            } else {
                segment
            });
        }
        client.build_url(&segments, &self.query()?)
    }

    /// Returns the first argument.
    fn named(&self) -> &str {
        let mut named = self
            .operation
            .arguments()
            .filter_map(|name| arguments::path_argument(self.matches, name));
        named.next().unwrap_or_default()
    }

    fn query(&self) -> Result<Vec<(&'static str, String)>, CliError> {
        let mut query = Vec::new();
        for field in self.operation.query {
            match body::read_option(field, &arguments::query_option_id(field), self.matches)? {
                Some(Value::String(text)) => query.push((field.member, text)),
                Some(value) => query.push((field.member, value.to_string())),
                None => {}
            }
        }
        Ok(query)
    }

    fn headers(&self) -> Result<Vec<(&'static str, String)>, CliError> {
        let mut headers = Vec::new();
        if self.operation.creates {
            headers.push(("idempotency-key", format!("\"{}\"", generate_id()?)));
        }
        if let Ok(Some(etag)) = self.matches.try_get_one::<String>(arguments::IF_MATCH) {
            headers.push(("if-match", quoted(etag)));
        }
        if self.is_set(arguments::ONLY_NEW) {
            headers.push(("if-none-match", "*".to_owned()));
        }
        Ok(headers)
    }

    /// Returns whether the user has set a switch; `false` if the operation has no such switch.
    fn is_set(&self, id: &str) -> bool {
        matches!(self.matches.try_get_one::<bool>(id), Ok(Some(true)))
    }

    /// Returns the name of the response's member that contains the list.
    fn member(&self) -> &'static str {
        match self.operation.view {
            AnswerFormat::Rows(member, _) | AnswerFormat::Named(member, _) | AnswerFormat::Secret(member) => {
                member
            }
            AnswerFormat::Fields
            | AnswerFormat::Comparison
            | AnswerFormat::Move
            | AnswerFormat::Done(_)
            | AnswerFormat::ExportedLines
            | AnswerFormat::ImportedLines => "",
        }
    }

    fn print_response(&self, global: &Global, body: &[u8], etag: Option<&str>) -> Result<(), CliError> {
        if let AnswerFormat::Done(done) = self.operation.view
            && body.is_empty()
        {
            let named = self
                .operation
                .arguments()
                .filter_map(|name| arguments::path_argument(self.matches, name));
            let mut words: Vec<String> = named.map(output::escape_unprintable).collect();
            words.push(done.to_owned());
            eprintln!("edgeboard: {}", words.join(" "));
            return Ok(());
        }
        if global.json {
            return output::print_line(body);
        }
        let document: Value = parse_body(body)?;
        match self.operation.view {
            AnswerFormat::Secret(member) => {
                let (secret, rest) = render::split_secret(document, member)?;
                eprintln!("{rest}");
                output::print_line(secret.as_bytes())
            }
            AnswerFormat::Rows(member, columns) => {
                output::print_line(render::render_rows(&document, member, columns).as_bytes())
            }
            AnswerFormat::Named(member, columns) => {
                output::print_line(render::render_named(&document, member, columns).as_bytes())
            }
            AnswerFormat::Fields
            | AnswerFormat::Comparison
            | AnswerFormat::Move
            | AnswerFormat::Done(_)
            | AnswerFormat::ExportedLines
            | AnswerFormat::ImportedLines => {
                output::print_line(render::render_fields(&document, etag).as_bytes())
            }
        }
    }
}

/// Returns whether a word is the id of an API key.
fn is_key_id(word: &str) -> bool {
    word.len() == KEY_ID_DIGITS && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns an entity tag in quotation marks, because a shell removes them from arguments.
fn quoted(etag: &str) -> String {
    if etag == "*" || etag.ends_with('"') {
        etag.to_owned()
    } else {
        format!("\"{etag}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the OpenAPI document of version 1 of the API.
    fn read_openapi_document() -> Value {
        serde_json::from_str(include_str!("../../../docs/openapi/v1.json")).unwrap()
    }

    /// Compares the paths as text: parameters such as `{player}` have the same names in the OpenAPI document
    /// and in the table of commands.
    #[test]
    fn every_administrative_operation_of_the_api_has_a_command() {
        // Players, their clients and probes use these operations, so they need no administrative command.
        const NOT_ADMINISTRATION: [&str; 9] = [
            "/entries",
            "/summary",
            "/distribution",
            "/live",
            "/submissions/",
            "/health/",
            "/metrics",
            "POST /scores",
            "POST /leaderboards/{leaderboard}/scores",
        ];
        let description = read_openapi_document();
        let mut known = Vec::new();
        for operation in nouns::NOUNS.iter().flat_map(|noun| noun.operations) {
            let mut paths = vec![operation.path.to_owned()];
            paths.extend(operation.path_without.map(str::to_owned));
            paths.extend(
                operation
                    .for_operator
                    .then(|| format!("/operator{}", operation.path)),
            );
            known.extend(paths.iter().map(|path| format!("{} {path}", operation.method)));
        }
        let mut described = Vec::new();
        for (path, item) in description["paths"].as_object().unwrap() {
            let Some(path) = path.strip_prefix("/api/v1") else {
                continue;
            };
            for method in ["get", "put", "post", "patch", "delete"] {
                if item.get(method).is_some() {
                    described.push(format!("{} {path}", method.to_uppercase()));
                }
            }
        }
        let missing: Vec<&String> = described
            .iter()
            .filter(|call| {
                !known.contains(call) && !NOT_ADMINISTRATION.iter().any(|other| call.contains(other))
            })
            .collect();
        assert_eq!(missing, [""; 0], "these operations of the API have no command");
        let unknown: Vec<&String> = known.iter().filter(|call| !described.contains(call)).collect();
        assert_eq!(
            unknown, [""; 0],
            "the API does not have these operations of commands"
        );
    }
}
