//! Tests that tenants do not see each other's data: every route is called with another tenant's credentials.

use leaderboard_api::{BodyKind, Permission};
use leaderboard_openapi::all_routes;
use leaderboard_pipeline::{Base, RouteHead, Verb};
use leaderboard_test_support::{ApiClient, ApiResponse, wait_until};
use serde_json::{Value, json};

use crate::cases::api_cases;

/// A text in all data of tenant A. No response to another tenant may contain it.
const SECRET: &str = "only-for-a";
/// An address in the limits of tenant A. No response to another tenant may contain it.
const ADDRESS: &str = "203.0.113.77";

/// The values of the parameters in the paths of routes.
struct Names {
    tenant: String,
    key: String,
    leaderboard: &'static str,
    player: &'static str,
}

/// The beginnings of the paths of API routes. Each of them has all routes.
const BASES: [&str; 3] = ["/api/v1", "/api/v2", "/api"];
/// An issuer that tenant A trusts. Other tenants name it in their documents, too.
const COMMON_ISSUER: &str = "https://common.example";
/// The player in the requests of other tenants.
const OTHER_PLAYER: &str = "somebody";

impl Names {
    /// Returns the path of a route with these names as parameters.
    fn path(&self, base: &str, route: &RouteHead) -> String {
        let segment = |segment: &str| match segment {
            ":tenant" => self.tenant.clone(),
            ":key" => self.key.clone(),
            ":letter" => "1".to_owned(),
            ":message" => "msg_1".to_owned(),
            ":submission" => "0af7651916cd43dd8448eb211c80319c".to_owned(),
            ":leaderboard" | ":issuer" | ":flag" | ":webhook" => self.leaderboard.to_owned(),
            ":player" => self.player.to_owned(),
            other => {
                assert!(!other.starts_with(':'), "unknown parameter {other}");
                other.to_owned()
            }
        };
        let path: Vec<String> = route.pattern.split('/').map(segment).collect();
        match route.base {
            Base::Api | Base::RootAndApi => format!("{base}{}", path.join("/")),
            Base::Root => path.join("/"),
        }
    }
}

/// Returns the beginnings of the paths under which a route is found.
fn bases(route: &RouteHead) -> &'static [&'static str] {
    match route.base {
        Base::Api => &BASES,
        Base::Root => &[""],
        Base::RootAndApi => &["", "/api/v1", "/api/v2", "/api"],
    }
}

/// Returns a valid body for a route, so that no request is refused because of its body.
fn body(route: &RouteHead, path: &str) -> Value {
    match route.pattern.rsplit('/').next().unwrap() {
        "keys" => json!({"name": "b", "scopes": ["scores:read"]}),
        "rotate" => json!({"overlap_s": 0}),
        "tokens" | "live-tickets" | "claims" => json!({"player": OTHER_PLAYER}),
        // Tenant A has the first issuer. No tenant has the second.
        ":issuer" => {
            let issuer = if path.ends_with("taken") {
                COMMON_ISSUER
            } else {
                "https://nobody.example"
            };
            json!({"issuer": issuer, "audiences": ["common"], "keys": [{"secret": "x".repeat(40)}]})
        }
        ":webhook" => json!({"url": "https://b.example/hook", "events": ["score.accepted"]}),
        "limits" => json!({"policies": {"family:ranks": {"quota": 1000, "window_s": 1}}}),
        "flags" if route.base == Base::Root => json!({"context": {}}),
        "flags" => {
            let flag = json!({"state": "ENABLED", "variants": {"on": 1}, "defaultVariant": "on"});
            json!({"flags": {"b": flag}})
        }
        ":flag" => json!({"context": {}}),
        ":leaderboard" if route.body == BodyKind::MergePatch => json!({"title": "c"}),
        ":leaderboard" => json!({"title": "b", "access": {"read": "private", "write": "player"}}),
        "scores" if route.pattern == "/scores" => {
            json!({"player": OTHER_PLAYER, "score": 1, "leaderboards": ["taken"]})
        }
        "scores" => json!({"player": OTHER_PLAYER, "score": 1}),
        ":tenant" => json!({"title": "b"}),
        "shard" => json!({"shard": 1}),
        "import" => json!({"first_line": 2, "lines": [{"type": "end", "lines": 1}]}),
        "ban" => json!({"reason": "b"}),
        other => panic!("no body is known for {other}"),
    }
}

/// The name and the value of a header with a credential. The name is empty if there is no credential.
struct Caller(&'static str, String);

/// Creates a key of the tenant. Returns its id and its text.
async fn create_key(tenant: &ApiClient, scopes: &[&str]) -> (String, String) {
    let made = tenant
        .post("/keys", &json!({"name": SECRET, "scopes": scopes}))
        .await
        .expect_status(201);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

/// Creates everything that a tenant can have, with `SECRET` in it. Returns the names of what it created.
async fn create_data(tenant: &ApiClient) -> Names {
    let name = format!("/tenants/{}", tenant.tenant);
    tenant
        .put(&name, &json!({"title": SECRET, "quotas": {"leaderboards": 1000}}))
        .await
        .expect_status(201);
    let board = json!({"title": SECRET, "access": {"read": "private"}, "operator": "increment"});
    tenant.create_leaderboard("taken", &board).await;
    for player in ["shared", SECRET] {
        tenant
            .submit(
                "taken",
                &json!({"player": player, "score": 5, "metadata": {"note": SECRET}}),
            )
            .await;
    }
    tenant
        .request("PUT", &format!("/players/{SECRET}-banned/ban"))
        .json(&json!({"reason": SECRET}))
        .send()
        .await
        .expect_status(204);
    tenant
        .put("/limits", &json!({"addresses": {"deny": [ADDRESS]}}))
        .await
        .expect_status(201);
    let flag = json!({"state": "ENABLED", "variants": {"on": SECRET, "off": "x"}, "defaultVariant": "on"});
    tenant
        .put("/flags", &json!({"flags": {"taken": flag}}))
        .await
        .expect_status(201);
    let secret = format!("{SECRET}-{}", "x".repeat(40));
    let issuer = json!({"issuer": format!("https://{SECRET}.example"), "audiences": [SECRET],
        "keys": [{"kid": "k", "secret": secret}]});
    tenant.put("/issuers/taken", &issuer).await.expect_status(201);
    let common = json!({"issuer": COMMON_ISSUER, "audiences": ["common"], "keys": [{"secret": secret}]});
    tenant.put("/issuers/common", &common).await.expect_status(201);
    let webhook =
        json!({"url": format!("https://{SECRET}.example/"), "title": SECRET, "events": ["player.banned"]});
    tenant.put("/webhooks/taken", &webhook).await.expect_status(201);
    let (id, _) = create_key(tenant, &["admin"]).await;
    Names {
        tenant: tenant.tenant.clone(),
        key: id,
        leaderboard: "taken",
        player: "shared",
    }
}

/// Reads the data of the tenant as the tenant itself. Usage is left out, because every request changes it.
async fn read_data(tenant: &ApiClient, names: &Names) -> Vec<Value> {
    let mut seen = Vec::new();
    for path in [
        "/leaderboards",
        "/leaderboards/taken/entries",
        "/limits",
        "/flags",
        "/issuers",
        "/issuers/taken",
        "/webhooks",
        "/webhooks/taken",
        "/keys",
        "/audit",
    ] {
        seen.push(tenant.get(path).await.expect_status(200));
    }
    seen.push(
        tenant
            .get(&format!("/keys/{}", names.key))
            .await
            .expect_status(200),
    );
    seen.push(
        tenant
            .get(&format!("/tenants/{}", names.tenant))
            .await
            .expect_status(200),
    );
    seen
}

/// Calls a route as `caller`, with `named` in `X-Tenant-ID`. Repeats a request that a rate limit refused, and an erasure that needs more
/// time.
async fn send_as(
    tenant: &ApiClient,
    caller: &Caller,
    route: &RouteHead,
    path: &str,
    named: Option<&str>,
) -> ApiResponse {
    let send = async || {
        let mut call = tenant
            .request_at(route.verb.name(), path)
            .without_header("x-api-key")
            .without_header("x-tenant-id");
        if !caller.0.is_empty() {
            call = call.header(caller.0, &caller.1);
        }
        if let Some(named) = named {
            call = call.header("x-tenant-id", named);
        }
        if route.body != BodyKind::None {
            call = call.json(&body(route, path));
        }
        call.send().await
    };
    let is_erasure = route.pattern == "/players/:player";
    wait_until(send, |answer| {
        answer.status != 429 && !(is_erasure && answer.status == 503)
    })
    .await
}

/// Asserts that a response contains no data of tenant A, and that it is not a server error.
#[track_caller]
fn assert_no_secret(answer: &ApiResponse) {
    assert!(answer.status < 500, "{answer:?}");
    let headers = answer
        .headers
        .values()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let actual: Vec<String> = headers
        .chain([String::from_utf8_lossy(&answer.body).into_owned()])
        .collect();
    for secret in [SECRET, ADDRESS] {
        assert!(
            actual.iter().all(|text| !text.contains(secret)),
            "{secret} in {answer:?}"
        );
    }
}

api_cases! {
    /// Calls each route with a name in its path twice: with a name that A has, and with a name that A does
    /// not have. Both responses have the same status, so that a response does not show whether a name exists.
    async fn no_route_shows_data_to_another_tenant(api) {
        let other = api.another_tenant();
        let nobody = api.another_tenant();
        let names = create_data(api).await;
        let (ghost_key, _) = create_key(&nobody, &["scores:read"]).await;
        let missing_names = Names { tenant: nobody.tenant.clone(), key: ghost_key, leaderboard: "ghost", player: "nobody" };
        let before = read_data(api, &names).await;

        let mut callers = vec![Caller("", String::new())];
        for scopes in [["admin"].as_slice(), &["scores:write"], &["scores:read"]] {
            let made = other.post("/keys", &json!({"name": "b", "scopes": scopes})).await.expect_status(201);
            callers.push(Caller("x-api-key", made["key"].as_str().unwrap().to_owned()));
        }
        let token = other.post("/tokens", &json!({"player": OTHER_PLAYER})).await.json();
        callers.push(Caller("authorization", format!("Bearer {}", token["token"].as_str().unwrap())));
        let mut routes: Vec<RouteHead> = all_routes().into_iter().map(|(_, route)| route).collect();
        // A stream has no end that a client could wait for.
        routes.retain(|route| route.pattern != "/leaderboards/:leaderboard/live");
        // Deletions come last, so that the other routes can use the data.
        routes.sort_by_key(|route| route.verb == Verb::Delete);
        assert!(routes.len() > 40, "{}", routes.len());
        let mut done = std::collections::BTreeSet::new();
        for caller in &callers {
            for (base, route) in routes.iter().flat_map(|route| bases(route).iter().map(move |base| (*base, route))) {
                let path = names.path(base, route);
                let taken = send_as(&other, caller, route, &path, None).await;
                assert_no_secret(&taken);
                if taken.status < 300 {
                    done.insert((route.verb.name(), route.pattern));
                }
                if route.pattern.contains(':') {
                    let missing = send_as(&other, caller, route, &missing_names.path(base, route), None).await;
                    assert_eq!(taken.status, missing.status, "{route:?} {taken:?} {missing:?}");
                }
                if route.permission == Permission::Operator {
                    assert!(matches!(taken.status, 401 | 403), "{route:?} {taken:?}");
                }
                if !route.permission.requires_auth() {
                    continue;
                }
                // A header that names A gives no access: a credential belongs to one tenant, and an anonymous
                // caller reads public data only.
                let named = send_as(&other, caller, route, &path, Some(&names.tenant)).await;
                assert_no_secret(&named);
                // The list of leaderboards contains public leaderboards only, and those of A are private.
                let lists_public = route.pattern == "/leaderboards" && route.verb == Verb::Get && named.status == 200;
                // A summary without a player is refused before its caller is.
                let lacks_player = route.pattern.ends_with("/summary") && named.status == 400;
                assert!(lists_public || lacks_player || matches!(named.status, 401 | 403 | 404), "{route:?} {named:?}");
            }
        }
        // The other tenant could write to all routes for itself, so the requests above were valid.
        let writes = routes.iter().filter(|route| route.body != BodyKind::None && route.permission != Permission::Operator);
        let undone: Vec<_> = writes
            .filter(|route| !done.contains(&(route.verb.name(), route.pattern)))
            .map(|route| route.pattern)
            .collect();
        // The other tenant has no import under way that the line could end, and no period that has ended.
        let (import, claims) = ("/leaderboards/:leaderboard/import", "/leaderboards/:leaderboard/claims");
        assert_eq!(undone, [import, claims, "/keys/:key/rotate", "/ofrep/v1/evaluate/flags/:flag"]);
        assert_eq!(read_data(api, &names).await, before);
    }

    async fn a_cursor_of_another_tenant_shows_only_own_entries(api) {
        let other = api.another_tenant();
        for (tenant, title) in [(api, SECRET), (&other, "b")] {
            for board in ["x", "y", "z"] {
                tenant.create_leaderboard(board, &json!({"title": title})).await;
                tenant.submit_score(board, &format!("{title}-1"), 1).await;
                tenant.submit_score(board, &format!("{title}-2"), 2).await;
            }
        }
        for path in ["/leaderboards?limit=1", "/leaderboards/x/entries?limit=1"] {
            let cursor = api.get(path).await.expect_status(200)["next"].as_str().unwrap().to_owned();
            let answer = other.get(&format!("{path}&cursor={cursor}")).await;
            assert_no_secret(&answer);
        }
    }
}
