//! Tests that every route that reads something follows the API description, also for `HEAD` and for
//! conditional requests. `ApiRequest::send` compares each response with the description.

use http::HeaderValue;
use leaderboard_openapi::all_routes;
use leaderboard_pipeline::{Base, Verb};
use leaderboard_test_support::ApiClient;
use serde_json::json;

use crate::cases::http_cases;

/// The paths of files that components serve.
const FILES: [&str; 10] = [
    "/openapi.json",
    "/openapi/v1.json",
    "/openapi/v1-strings.json",
    "/openapi/v2.json",
    "/openapi/v2-strings.json",
    "/docs",
    "/docs/start.js",
    "/docs/scalar.js",
    "/problems",
    "/problems/validation",
];

/// The ids that the service chose.
struct ChosenIds {
    key: String,
    submission: String,
}

/// Creates an entry with a prize, a tenant record, an issuer, a webhook, limits, flags, a key and a queued request.
async fn create_resources(api: &ApiClient) -> ChosenIds {
    let prizes = json!([{"name": "gold", "from_rank": 1, "to_rank": 1}]);
    let ended = json!({"ends_at": "2020-01-02T00:00:00Z", "prizes": prizes});
    api.create_leaderboard("goals", &ended).await;
    let score = json!({"player": "ann", "score": 3, "occurred_at": "2020-01-01T00:00:00Z"});
    api.post("/leaderboards/goals/scores", &score)
        .await
        .expect_status(200);
    let queued = api
        .request("POST", "/leaderboards/goals/scores")
        .header("prefer", "respond-async");
    let queued = queued.json(&score).send().await.expect_status(202);
    // The address contains the tenant, so that no other test on this host uses this issuer.
    let issuer = format!("https://{}.example.com", api.tenant);
    let issuer = json!({"issuer": issuer, "audiences": ["game"], "discovery": true});
    for (path, document) in [
        (format!("/tenants/{}", api.tenant), json!({})),
        ("/issuers/games".to_owned(), issuer),
        (
            "/webhooks/games".to_owned(),
            json!({"url": "https://hooks.example.com/", "events": ["score.accepted"]}),
        ),
        ("/limits".to_owned(), json!({})),
        ("/flags".to_owned(), json!({"flags": {}})),
    ] {
        api.put(&path, &document).await.expect_status(201);
    }
    let key = api
        .post("/keys", &json!({"name": "server", "scopes": ["scores:read"]}))
        .await;
    ChosenIds {
        key: key.expect_status(201)["id"].as_str().unwrap().to_owned(),
        submission: queued["id"].as_str().unwrap().to_owned(),
    }
}

/// Returns the paths of all routes that read something, with names that `create_resources` created.
fn read_paths(api: &ApiClient, ids: &ChosenIds) -> Vec<String> {
    let segment = |segment| match segment {
        ":leaderboard" => "goals",
        ":player" => "ann",
        ":tenant" => &api.tenant,
        ":issuer" | ":webhook" => "games",
        ":key" => &ids.key,
        ":submission" => &ids.submission,
        other => other,
    };
    let routes = all_routes()
        .into_iter()
        .map(|(_, route)| route)
        // A stream has no end that a client could wait for.
        .filter(|route| route.verb == Verb::Get && route.pattern != "/leaderboards/:leaderboard/live");
    let paths = routes.flat_map(|route| {
        let below: Vec<&str> = route.pattern.split('/').map(segment).collect();
        let bases: &[&str] = match route.base {
            Base::Api => &["/api/v1", "/api/v2", "/api"],
            Base::Root => &[""],
            Base::RootAndApi => &["", "/api/v1", "/api/v2", "/api"],
        };
        let mut below = below.join("/");
        if below.ends_with("/summary") {
            below.push_str("?player=ann");
        }
        if below.ends_with("/personal-bests") {
            below.push_str("?leaderboard=goals");
        }
        if below.ends_with("/standings") || below.contains("/claims") {
            below.push_str("?period=all");
        }
        bases.iter().map(move |base| format!("{base}{below}"))
    });
    paths.chain(FILES.map(str::to_owned)).collect()
}

http_cases! {
    async fn every_read_supports_head_and_conditions(api) {
        let ids = create_resources(api).await;
        let mut not_modified = 0;
        for path in read_paths(api, &ids) {
            let got = api.request_at("GET", &path).send().await;
            // The operator's documents may be missing, and so are the ban and the import, because there are none.
            let is_expected = got.status == 200 || got.status == 404 && (path.contains("/operator/") || path.ends_with("/ban") || path.ends_with("/import"));
            let redirects_to_docs = path == "/" && got.status == 307;
            assert!(is_expected || redirects_to_docs, "{path}: {got:?}");
            let head = api.request_at("HEAD", &path).send().await;
            assert_eq!((head.status, head.body.len()), (got.status, 0), "{path}");
            let Some(tag) = got.headers.get("etag").and_then(|tag| HeaderValue::to_str(tag).ok()) else {
                continue;
            };
            for verb in ["GET", "HEAD"] {
                let held = api.request_at(verb, &path).header("if-none-match", tag).send().await;
                assert_eq!((held.status, held.body.len()), (304, 0), "{verb} {path}");
            }
            not_modified += 1;
            if path.starts_with("/api") {
                api.request_at("GET", &path).header("if-match", "\"another\"").send().await.expect_problem(412, "precondition-failed");
            }
        }
        assert!(not_modified > 30, "{not_modified}");
    }

    async fn the_description_is_compressed_for_clients_that_accept_it(api) {
        let plain = api.request_at("GET", "/openapi.json").without_header("accept-encoding").send().await;
        let small = api.request_at("GET", "/openapi.json").header("accept-encoding", "gzip").send().await;
        assert_eq!((plain.status, small.status), (200, 200));
        assert!(plain.headers.get("content-encoding").is_none());
        assert_eq!(small.header("content-encoding"), "gzip");
        assert!(small.body.len() * 5 < plain.body.len(), "{} of {}", small.body.len(), plain.body.len());
        assert_ne!(small.header("etag"), plain.header("etag"));
        for answer in [&plain, &small] {
            assert!(answer.header("vary").contains("Accept-Encoding"));
            // A shared cache may store the response, so it has no request id.
            assert!(answer.headers.get("x-request-id").is_none());
        }
    }
}
