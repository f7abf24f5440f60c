//! Pages that explain the types of problems to people. The `type` of a problem document is the address of such a page.

use http::StatusCode;

use super::ProblemType;

const BASE: &str = "/problems";
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}\
     code{background:#8882;padding:.1em .3em;border-radius:3px}dt{font-weight:600;margin-top:1rem}dd{margin:0}";

/// Returns the page at `/problems`, which lists all types, or the page of one type at `/problems/{type}`; `None` for any other path.
pub fn render_page(path: &str) -> Option<String> {
    if path == BASE {
        return Some(render_list());
    }
    path.strip_prefix(BASE)?;
    ProblemType::ALL
        .iter()
        .find(|kind| kind.uri() == path)
        .map(|kind| render_type(*kind))
}

fn render_list() -> String {
    let items: String = ProblemType::ALL
        .iter()
        .map(|kind| {
            format!(
                "<dt>{} <a href=\"{}\">{}</a></dt><dd>{}</dd>",
                kind.status().as_u16(),
                kind.uri(),
                kind.title(),
                mark_code(kind.meaning())
            )
        })
        .collect();
    render("Problem types", &format!("<dl>{items}</dl>"))
}

fn render_type(kind: ProblemType) -> String {
    let body = format!(
        "<p>{}</p><dl><dt>Type</dt><dd><code>{}</code></dd><dt>Status</dt><dd>{}</dd><dt>What to do</dt><dd>{}</dd></dl>\
         <p><a href=\"{BASE}\">All problem types</a> · <a href=\"/docs\">The API</a></p>",
        mark_code(kind.meaning()),
        kind.uri(),
        kind.status(),
        advice(kind.status()),
    );
    render(kind.title(), &body)
}

/// Returns what a client can do about a problem with this status.
fn advice(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => {
            "Send a valid API key in <code>X-API-Key</code>, or a token as <code>Authorization: Bearer …</code>."
        }
        StatusCode::FORBIDDEN => {
            "Use a credential that allows the operation; <code>detail</code> says what it must allow."
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            "Check the names in the address. The same request fails again."
        }
        StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => {
            "Read the current state, then decide again. The same request fails until that state changes."
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            "Send the same request again after the seconds in <code>Retry-After</code>. A submission with an <code>id</code> counts once however often it is sent."
        }
        status if status.is_server_error() => {
            "Send the same request again later. Report the id in <code>instance</code>: the log of the service has the cause under it."
        }
        _ => {
            "Correct the request: <code>errors</code> in the problem document names the fields, parameters or headers at fault."
        }
    }
}

/// Returns a text with `<code>` in the place of backticks. The texts are constants of the catalogue and have no markup.
fn mark_code(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts
        .map(|(at, part)| {
            if at % 2 == 1 {
                format!("<code>{part}</code>")
            } else {
                part.to_owned()
            }
        })
        .collect()
}

fn render(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title} · Edgeboard</title>\
         <link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style></head><body><h1>{title}</h1>{body}</body></html>"
    )
}
