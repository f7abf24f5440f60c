//! Tests of credentials: API keys, and tokens of an issuer whose keys the service fetches.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use ed25519_dalek::SigningKey;
use jwt_compact::alg::Ed25519;
use jwt_compact::{AlgorithmExt, Claims, Header};
use leaderboard_test_support::ApiClient;
use serde_json::json;

use crate::cases::api_cases;

/// The longest time until every instance refuses a revoked key.
const REVOKED_WITHIN: Duration = Duration::from_secs(5);
/// 2100-01-01T00:00:00Z, in seconds since the epoch.
const FAR_S: u64 = 4_102_444_800;
/// The method and the path of a submission.
const SCORE: (&str, &str) = ("POST", "/leaderboards/b/scores");

/// Creates the private leaderboard `b`, to which players may submit.
async fn create_leaderboard(api: &ApiClient) {
    let access = json!({"access": {"read": "private", "write": "player"}});
    api.create_leaderboard("b", &access).await;
}

/// Starts a server that publishes the issuer's key for as long as the process runs. Returns its address.
fn serve_keys(key: &SigningKey) -> SocketAddr {
    let mut jwk = serde_json::to_value(jwt_compact::jwk::JsonWebKey::from(&key.verifying_key())).unwrap();
    jwk["kid"] = json!("k");
    let body = json!({"keys": [jwk]}).to_string();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            // The request has no body, so one read gets all of it.
            let _ = stream.read(&mut [0; 4096]);
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all((head + body.as_str()).as_bytes());
        }
    });
    address
}

api_cases! {
    async fn a_key_works_until_it_is_revoked(api) {
        create_leaderboard(api).await;
        let (id, key) = api.make_key(json!(["scores:read", "scores:write"])).await;
        let score = json!({"player": "p", "score": 1});
        api.with_key(&key, SCORE.0, SCORE.1).json(&score).send().await.expect_status(200);
        let page = api.with_key(&key, "GET", "/leaderboards/b/entries").send().await.expect_status(200);
        assert_eq!(page["count"], 1);
        api.with_key(&key, "GET", "/keys").send().await.expect_problem(403, "forbidden");
        let other = api.with_key(&key, "GET", "/leaderboards/b/entries");
        other.header("x-tenant-id", "another").send().await.expect_problem(403, "forbidden");

        let revoked = api.delete(&format!("/keys/{id}")).await;
        assert_eq!(revoked.status, 204);
        tokio::time::sleep(REVOKED_WITHIN).await;
        // An instance serves at most 128 requests, so several instances answer. All must refuse the key.
        for _ in 0..200 {
            let refused = api.with_key(&key, "GET", "/leaderboards/b/entries").send().await;
            refused.expect_problem(401, "unauthenticated");
        }
    }
}

mod over_http {
    use super::*;
    use crate::cases::http_cases;

    http_cases! {
        async fn tokens_of_an_issuer_are_verified_with_its_published_keys(api) {
            create_leaderboard(api).await;
            let key = SigningKey::from_bytes(&[3; 32]);
            let address = serve_keys(&key);
            let issuer = format!("https://id.example/{}", api.tenant);
            let document = json!({"issuer": issuer, "audiences": ["scores"], "jwks_uri": format!("http://{address}/")});
            api.put("/issuers/main", &document).await.expect_status(201);
            let header = Header::empty().with_key_id("k");
            let token = |audience: &str| {
                let claims = json!({"iss": issuer, "aud": audience, "sub": "p", "exp": FAR_S});
                Ed25519.token(&header, &Claims::new(claims), &key).unwrap()
            };
            let score = json!({"player": "p", "score": 7});
            api.with_token(&token("scores"), SCORE.0, SCORE.1).json(&score).send().await.expect_status(200);
            let other = api.with_token(&token("others"), SCORE.0, SCORE.1).json(&score).send().await;
            other.expect_problem(401, "unauthenticated");
        }
    }
}
