//! A small HTTP client. It opens a connection for each request, unless a test keeps a [`Connection`].

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

/// A whole response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    async fn read(response: Response<Incoming>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes();
        let body = String::from_utf8(bytes.to_vec()).expect("UTF-8");
        Self {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }
}

/// An HTTP/1.1 connection that can be used again.
pub(crate) struct Connection {
    sender: hyper::client::conn::http1::SendRequest<Full<Bytes>>,
    authority: String,
}

impl Connection {
    /// Connects to `address`.
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .expect("a handshake");
        tokio::spawn(connection);
        Self {
            sender,
            authority: address.to_string(),
        }
    }

    /// Sends a request, and returns the head of the response. The body follows as a stream.
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        self.sender.ready().await?;
        self.sender.send_request(request).await
    }

    /// Creates a GET of `path` for this connection.
    pub(crate) fn get(&self, path: &str) -> Request<Full<Bytes>> {
        Request::get(path)
            .header("host", &self.authority)
            .body(Full::default())
            .expect("a request")
    }

    /// Sends a GET of `path`, and returns the whole response.
    pub(crate) async fn fetch(&mut self, path: &str) -> Answer {
        let request = self.get(path);
        Answer::read(self.send(request).await.expect("a response")).await
    }
}

/// Sends a GET on a new connection, and returns the whole response.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Answer {
    Connection::open(address).await.fetch(path).await
}

/// Sends a request on a new connection, and returns the whole response. Adds a `Host` header if the request
/// has none.
pub(crate) async fn send(address: SocketAddr, mut request: Request<Full<Bytes>>) -> hyper::Result<Answer> {
    let mut connection = Connection::open(address).await;
    let host = address.to_string().parse().expect("a header");
    request.headers_mut().entry("host").or_insert(host);
    Ok(Answer::read(connection.send(request).await?).await)
}

/// Sends a GET over HTTP/2 without TLS on a new connection, and returns the whole response.
pub(crate) async fn get_h2(address: SocketAddr, path: &str) -> Answer {
    let stream = TcpStream::connect(address).await.expect("a connection");
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("a handshake");
    tokio::spawn(connection);
    let uri = format!("http://{address}{path}");
    let request = Request::get(uri)
        .body(Full::<Bytes>::default())
        .expect("a request");
    Answer::read(sender.send_request(request).await.expect("a response")).await
}

/// Encodes `text` as a value in the query of a URL.
pub(crate) fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
