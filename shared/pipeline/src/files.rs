//! Files that a component carries: pages, scripts, descriptions; and the pages that explain problem types.

use leaderboard_identity::hex::encode as hex;
use std::io::Read;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use sha2::{Digest, Sha256};

use crate::{
    CorsOrigins, REQUEST_ID, TrustedProxies, accepts_gzip, add_security_headers, admit, is_secure, trace_id,
};
use leaderboard_api::problem::render_page;
use leaderboard_api::{Problem, ProblemType};

/// How many bytes of a digest an entity tag has.
const TAG_BYTES: usize = 16;
/// The content security policy of a page: the page may load only files of this service. Scripts that draw pages write styles into
/// them.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

/// A file and how it is served.
#[derive(Debug, Clone, Copy)]
pub struct StaticFile {
    /// The path of the request.
    pub path: &'static str,
    /// The value of `Content-Type`.
    pub media_type: &'static str,
    /// Whether `bytes` are compressed with gzip. A client that does not accept gzip gets them decompressed.
    pub gzip: bool,
    /// The file, or its compressed form.
    pub bytes: &'static [u8],
}

/// A file in the coding that one client gets.
struct Representation {
    media_type: &'static str,
    gzip: bool,
    /// Whether another client may get the file in another coding.
    varies: bool,
    bytes: Bytes,
}

/// Answers a request with a file, or with the page of a problem type (`/problems/…`). Scripts of any origin can read the
/// response. `new_trace_id` is the trace id to use if the request has none. `proxies` are trusted to report whether a request
/// came over TLS.
#[must_use]
pub fn serve_file<B>(
    files: &[StaticFile],
    request: &http::Request<B>,
    new_trace_id: [u8; 16],
    proxies: &TrustedProxies,
) -> http::Response<Bytes> {
    let (path, method, asked) = (request.uri().path(), request.method(), request.headers());
    let trace_id = trace_id(asked, || new_trace_id);
    let found = find_representation(files, path, asked);
    let mut response = match found {
        None => problem(Problem::new(ProblemType::NotFound), &trace_id),
        Some(_) if method != Method::GET && method != Method::HEAD => {
            problem(Problem::method_not_allowed("GET, HEAD"), &trace_id)
        }
        Some(representation) => answer(representation, asked),
    };
    add_security_headers(response.headers_mut(), is_secure(asked, proxies));
    admit(&CorsOrigins::Any, method, asked, &mut response);
    // A shared cache may store a file, so it carries nothing of the request.
    let shared = [StatusCode::OK, StatusCode::NOT_MODIFIED].contains(&response.status());
    if !shared && let Ok(value) = HeaderValue::from_str(&trace_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let bodiless = [StatusCode::NOT_MODIFIED, StatusCode::NO_CONTENT].contains(&response.status());
    if method == Method::HEAD || bodiless {
        *response.body_mut() = Bytes::new();
    } else {
        let length = HeaderValue::from(response.body().len());
        response.headers_mut().insert(CONTENT_LENGTH, length);
    }
    response
}

/// Returns the file at a path, in a coding that the client accepts.
fn find_representation(files: &[StaticFile], path: &str, asked: &HeaderMap) -> Option<Representation> {
    let Some(file) = files.iter().find(|file| file.path == path) else {
        let page = render_page(path)?;
        return Some(Representation {
            media_type: "text/html; charset=utf-8",
            gzip: false,
            varies: false,
            bytes: Bytes::from(page),
        });
    };
    let gzip = file.gzip && accepts_gzip(asked);
    let bytes = if file.gzip && !gzip {
        Bytes::from(decompress(file.bytes))
    } else {
        Bytes::from_static(file.bytes)
    };
    Some(Representation {
        media_type: file.media_type,
        gzip,
        varies: file.gzip,
        bytes,
    })
}

/// Returns the decompressed content of a file that was compressed at build time.
fn decompress(gzip: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    // The input is part of the component, and reading memory cannot fail; a test decompresses each file.
    let _ = flate2::read::GzDecoder::new(gzip).read_to_end(&mut content);
    content
}

fn answer(file: Representation, asked: &HeaderMap) -> http::Response<Bytes> {
    let digest: [u8; 32] = Sha256::digest(&file.bytes).into();
    let tag = format!(
        "\"{}\"",
        hex(digest.first_chunk::<TAG_BYTES>().unwrap_or(&[0; TAG_BYTES]))
    );
    let known = asked.get_all(IF_NONE_MATCH).iter().any(|tags| {
        let tags = tags.to_str().unwrap_or_default();
        tags.trim() == "*" || tags.contains(&tag)
    });
    let mut response = http::Response::new(file.bytes);
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.media_type));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if file.gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if file.varies {
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    response
}

fn problem(problem: Problem, trace_id: &str) -> http::Response<Bytes> {
    let answer = problem.into_response(trace_id);
    let mut response = http::Response::new(answer.body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The only file of most tests.
    const FILES: &[StaticFile] = &[StaticFile {
        path: "/docs",
        media_type: "text/html; charset=utf-8",
        gzip: false,
        bytes: b"<p>",
    }];

    /// Requests `path`, with the header `If-None-Match` if there is a tag.
    fn request_file(method: &str, path: &str, tag: Option<&str>) -> http::Response<Bytes> {
        let mut request = http::Request::builder().method(method).uri(path);
        if let Some(tag) = tag {
            request = request.header(IF_NONE_MATCH, tag);
        }
        serve_file(
            FILES,
            &request.body(()).unwrap(),
            [7; 16],
            &TrustedProxies::default(),
        )
    }

    #[test]
    fn a_file_is_served_with_its_etag_and_its_security_policy() {
        let first = request_file("GET", "/docs", None);
        assert_eq!((first.status().as_u16(), &first.body()[..]), (200, &b"<p>"[..]));
        assert_eq!(first.headers()[CONTENT_LENGTH], "3");
        assert_eq!(first.headers()[CONTENT_SECURITY_POLICY], PAGE_POLICY);
        assert_eq!(first.headers()["x-content-type-options"], "nosniff");
        let tag = first.headers()[ETAG].to_str().unwrap();
        let again = request_file("GET", "/docs", Some(&format!("W/\"x\", {tag}")));
        assert_eq!((again.status().as_u16(), again.body().len()), (304, 0));
        assert_eq!(request_file("GET", "/docs", Some("\"x\"")).status(), 200);
        assert_eq!(request_file("HEAD", "/docs", None).body().len(), 0);
    }

    #[test]
    fn files_allow_every_origin_and_other_answers_have_a_trace_id() {
        let send_request = |method: &str, path: &str| {
            let request = http::Request::builder()
                .method(method)
                .uri(path)
                .header("origin", "https://a.example")
                .header("access-control-request-method", "GET")
                .header(
                    "traceparent",
                    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                );
            serve_file(
                FILES,
                &request.body(()).unwrap(),
                [7; 16],
                &TrustedProxies::default(),
            )
        };
        for (method, path, status) in [
            ("GET", "/docs", 200),
            ("GET", "/x", 404),
            ("OPTIONS", "/docs", 204),
        ] {
            let answer = send_request(method, path);
            assert_eq!(answer.status(), status);
            let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
            assert_eq!(header("access-control-allow-origin"), "*");
            let shared = status == 200;
            assert_eq!(!shared, answer.headers().contains_key("x-request-id"));
            assert!(shared || header("x-request-id") == "0af7651916cd43dd8448eb211c80319c");
        }
        let preflight = send_request("OPTIONS", "/docs");
        assert_eq!(preflight.headers()["access-control-allow-methods"], "GET, HEAD");
        assert!(preflight.body().is_empty() && !preflight.headers().contains_key(CONTENT_LENGTH));
        assert_eq!(
            request_file("GET", "/x", None).headers()["x-request-id"],
            hex(&[7; 16])
        );
    }

    #[test]
    fn a_compressed_file_is_sent_in_the_coding_that_the_client_accepts() {
        let content = "openapi ".repeat(100);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, content.as_bytes()).unwrap();
        let gzip: &'static [u8] = encoder.finish().unwrap().leak();
        let files = [StaticFile {
            path: "/f",
            media_type: "application/json",
            gzip: true,
            bytes: gzip,
        }];
        let send_request = |accepted: &str| {
            let request = http::Request::builder()
                .uri("/f")
                .header("accept-encoding", accepted);
            serve_file(
                &files,
                &request.body(()).unwrap(),
                [7; 16],
                &TrustedProxies::default(),
            )
        };
        let (coded, plain) = (send_request("br, gzip"), send_request("gzip;q=0"));
        assert_eq!(
            (&coded.body()[..], &coded.headers()[CONTENT_ENCODING]),
            (gzip, &HeaderValue::from_static("gzip"))
        );
        assert_eq!(plain.body(), content.as_bytes());
        assert!(!plain.headers().contains_key(CONTENT_ENCODING));
        assert_ne!(coded.headers()[ETAG], plain.headers()[ETAG]);
        for response in [coded, plain] {
            assert_eq!(response.headers()[VARY], "Accept-Encoding");
        }
    }

    #[test]
    fn each_problem_type_has_a_page() {
        for kind in ProblemType::ALL {
            let Some(slug) = kind.uri().strip_prefix("/problems/") else {
                continue;
            };
            let page = request_file("GET", kind.uri(), None);
            let text = String::from_utf8(page.body().to_vec()).unwrap();
            assert_eq!(page.status(), 200, "{slug}");
            assert!(
                text.contains(kind.title()) && text.contains(kind.status().as_str()),
                "{text}"
            );
            assert_eq!(page.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
            let list = request_file("GET", "/problems", None);
            assert!(String::from_utf8_lossy(list.body()).contains(kind.uri()));
        }
        for missing in [
            "/problems/",
            "/problems/none",
            "/problemsx",
            "/problems/internal/x",
        ] {
            assert_eq!(request_file("GET", missing, None).status(), 404, "{missing}");
        }
    }

    #[test]
    fn answers_over_tls_have_strict_transport_security() {
        let has_strict_transport = |url: &'static str| {
            let request = http::Request::builder().uri("/docs").header("spin-full-url", url);
            let answer = serve_file(
                FILES,
                &request.body(()).unwrap(),
                [7; 16],
                &TrustedProxies::default(),
            );
            answer.headers().contains_key("strict-transport-security")
        };
        assert!(
            has_strict_transport("https://a.example/docs") && !has_strict_transport("http://a.example/docs")
        );
    }

    #[test]
    fn a_trusted_proxy_decides_whether_a_file_is_sent_over_tls() {
        let proxies: TrustedProxies = "192.0.2.1".parse().unwrap();
        let has_strict_transport = |path: &str, near: &str, scheme: &str, proxies: &TrustedProxies| {
            let request = http::Request::builder()
                .uri(path)
                .header("spin-full-url", "http://a.example/")
                .header("spin-client-addr", near)
                .header("x-forwarded-proto", scheme);
            let answer = serve_file(FILES, &request.body(()).unwrap(), [7; 16], proxies);
            answer.headers().contains_key("strict-transport-security")
        };
        let near = "192.0.2.1:80";
        for path in ["/docs", "/problems", "/none"] {
            assert!(has_strict_transport(path, near, "https", &proxies), "{path}");
            assert!(!has_strict_transport(path, near, "http", &proxies), "{path}");
            assert!(
                !has_strict_transport(path, "203.0.113.1:80", "https", &proxies),
                "{path}"
            );
            assert!(
                !has_strict_transport(path, near, "https", &TrustedProxies::default()),
                "{path}"
            );
        }
    }

    #[test]
    fn an_unknown_path_or_method_gets_a_problem_document() {
        assert_eq!(request_file("GET", "/docs/x", None).status(), 404);
        let other = request_file("POST", "/docs", None);
        assert_eq!(
            (other.status().as_u16(), &other.headers()["allow"]),
            (405, &HeaderValue::from_static("GET, HEAD"))
        );
        assert_eq!(other.headers()[CONTENT_TYPE], "application/problem+json");
    }
}
