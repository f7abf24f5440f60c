//! Tenants do not see each other: every route there is, walked with another tenant's credentials.

use leaderboard_api::{BodyKind, Permission};
use leaderboard_openapi::{ListedRoute, all_routes};
use leaderboard_pipeline::{Base, Verb};
use serde_json::{Value, json};

use crate::edgeboard::{Edgeboard, Reply, eventually, over_http};

/// In everything that tenant A has, and in nothing that anybody else may read.
const SECRET: &str = "only-for-a";
const ADDRESS: &str = "203.0.113.77";

/// The names that a route's parameters are given.
struct Names {
    tenant: String,
    key: String,
    leaderboard: &'static str,
    player: &'static str,
}

/// Where the routes of the API begin: each version has all of them.
const BASES: [&str; 3] = ["/api/v1", "/api/v2", "/api"];
/// Tenant A and others trust this issuer.
const COMMON: &str = "https://common.example";
/// Who is in what others than A write.
const SOMEBODY: &str = "somebody";

impl Names {
    fn path(&self, base: &str, route: &ListedRoute) -> String {
        let segment = |segment: &str| match segment {
            ":tenant" => self.tenant.clone(),
            ":key" => self.key.clone(),
            ":letter" => "1".to_owned(),
            ":leaderboard" | ":issuer" | ":flag" => self.leaderboard.to_owned(),
            ":player" => self.player.to_owned(),
            other => {
                assert!(!other.starts_with(':'), "what is {other}?");
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

/// Where a route is found.
fn bases(route: &ListedRoute) -> &'static [&'static str] {
    match route.base {
        Base::Api => &BASES,
        Base::Root => &[""],
        Base::RootAndApi => &["", "/api/v1", "/api/v2", "/api"],
    }
}

/// A body that a route takes, so that nothing is refused for the body before it is refused for the caller.
fn body(route: &ListedRoute, path: &str) -> Value {
    match route.pattern.rsplit('/').next().unwrap() {
        "keys" => json!({"name": "b", "scopes": ["scores:read"]}),
        "rotate" => json!({"overlap_s": 0}),
        "tokens" => json!({"player": SOMEBODY}),
        // Of two that are the same, A has one and the other is nobody's.
        ":issuer" => {
            let issuer = if path.ends_with("taken") {
                COMMON
            } else {
                "https://nobody.example"
            };
            json!({"issuer": issuer, "audiences": ["common"], "keys": [{"secret": "x".repeat(40)}]})
        }
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
            json!({"player": SOMEBODY, "score": 1, "leaderboards": ["taken"]})
        }
        "scores" => json!({"player": SOMEBODY, "score": 1}),
        ":tenant" => json!({"title": "b"}),
        "ban" => json!({"reason": "b"}),
        other => panic!("what does {other} take?"),
    }
}

/// A credential as a header.
struct Caller(&'static str, String);

/// A key of the tenant: its id and its text.
async fn key(tenant: &Edgeboard, scopes: &[&str]) -> (String, String) {
    let made = tenant
        .post("/keys", &json!({"name": SECRET, "scopes": scopes}))
        .await
        .is(201);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

/// Everything that a tenant can have, with the secret in it.
async fn fill(tenant: &Edgeboard) -> Names {
    let name = format!("/tenants/{}", tenant.tenant);
    tenant
        .put(&name, &json!({"title": SECRET, "quotas": {"leaderboards": 1000}}))
        .await
        .is(201);
    let board = json!({"title": SECRET, "access": {"read": "private"}, "operator": "increment"});
    tenant.board("taken", &board).await;
    for player in ["shared", SECRET] {
        tenant
            .submit(
                "taken",
                &json!({"player": player, "score": 5, "metadata": {"note": SECRET}}),
            )
            .await;
    }
    tenant
        .call("PUT", &format!("/players/{SECRET}-banned/ban"))
        .json(&json!({"reason": SECRET}))
        .send()
        .await
        .is(204);
    tenant
        .put("/limits", &json!({"addresses": {"deny": [ADDRESS]}}))
        .await
        .is(201);
    let flag = json!({"state": "ENABLED", "variants": {"on": SECRET, "off": "x"}, "defaultVariant": "on"});
    tenant
        .put("/flags", &json!({"flags": {"taken": flag}}))
        .await
        .is(201);
    let secret = format!("{SECRET}-{}", "x".repeat(40));
    let issuer = json!({"issuer": format!("https://{SECRET}.example"), "audiences": [SECRET],
        "keys": [{"kid": "k", "secret": secret}]});
    tenant.put("/issuers/taken", &issuer).await.is(201);
    let common = json!({"issuer": COMMON, "audiences": ["common"], "keys": [{"secret": secret}]});
    tenant.put("/issuers/common", &common).await.is(201);
    let (id, _) = key(tenant, &["admin"]).await;
    Names {
        tenant: tenant.tenant.clone(),
        key: id,
        leaderboard: "taken",
        player: "shared",
    }
}

/// What the tenant itself sees of it. The key's own audit and usage grow with every look.
async fn seen(tenant: &Edgeboard, names: &Names) -> Vec<Value> {
    let mut seen = Vec::new();
    for path in [
        "/leaderboards",
        "/leaderboards/taken/entries",
        "/limits",
        "/flags",
        "/issuers",
        "/issuers/taken",
        "/keys",
        "/audit",
    ] {
        seen.push(tenant.get(path).await.is(200));
    }
    seen.push(tenant.get(&format!("/keys/{}", names.key)).await.is(200));
    seen.push(tenant.get(&format!("/tenants/{}", names.tenant)).await.is(200));
    seen
}

async fn ask(
    tenant: &Edgeboard,
    caller: &Caller,
    route: &ListedRoute,
    path: &str,
    named: Option<&str>,
) -> Reply {
    let send = async || {
        let mut call = tenant
            .anywhere(route.verb.name(), path)
            .without("x-api-key")
            .without("x-tenant-id");
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
    eventually(send, |answer| answer.status != 429).await
}

#[track_caller]
fn assert_innocent(answer: &Reply) {
    assert!(answer.status < 500, "{answer:?}");
    let headers = answer
        .headers
        .values()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let told: Vec<String> = headers
        .chain([String::from_utf8_lossy(&answer.body).into_owned()])
        .collect();
    for secret in [SECRET, ADDRESS] {
        assert!(
            told.iter().all(|text| !text.contains(secret)),
            "{secret} in {answer:?}"
        );
    }
}

over_http! {
    /// A route with a name in its path is asked twice, for one that A has and for one that nobody has: the answers have the
    /// same status, so that not even the existence of a name is told.
    async fn no_route_tells_another_tenant_anything(edgeboard) {
        let own = Edgeboard::new(&edgeboard.url);
        let nobody = Edgeboard::new(&edgeboard.url);
        let names = fill(edgeboard).await;
        let (ghost_key, _) = key(&nobody, &["scores:read"]).await;
        let ghosts = Names { tenant: nobody.tenant.clone(), key: ghost_key, leaderboard: "ghost", player: "nobody" };
        let before = seen(edgeboard, &names).await;

        let mut callers = vec![Caller("", String::new())];
        for scopes in [["admin"].as_slice(), &["scores:write"], &["scores:read"]] {
            let made = own.post("/keys", &json!({"name": "b", "scopes": scopes})).await.is(201);
            callers.push(Caller("x-api-key", made["key"].as_str().unwrap().to_owned()));
        }
        let token = own.post("/tokens", &json!({"player": SOMEBODY})).await.json();
        callers.push(Caller("authorization", format!("Bearer {}", token["token"].as_str().unwrap())));
        let mut routes = all_routes();
        // What was made is used before it goes.
        routes.sort_by_key(|route| route.verb == Verb::Delete);
        assert!(routes.len() > 40, "{}", routes.len());
        let mut done = std::collections::BTreeSet::new();
        for caller in &callers {
            for (base, route) in routes.iter().flat_map(|route| bases(route).iter().map(move |base| (*base, route))) {
                let path = names.path(base, route);
                let taken = ask(&own, caller, route, &path, None).await;
                assert_innocent(&taken);
                if taken.status < 300 {
                    done.insert((route.verb.name(), route.pattern));
                }
                if route.pattern.contains(':') {
                    let ghost = ask(&own, caller, route, &ghosts.path(base, route), None).await;
                    assert_eq!(taken.status, ghost.status, "{route:?} {taken:?} {ghost:?}");
                }
                if route.permission == Permission::Operator {
                    assert!(matches!(taken.status, 401 | 403), "{route:?} {taken:?}");
                }
                if !route.permission.requires_auth() {
                    continue;
                }
                // Naming A does not help: who has a credential has a tenant, and nobody may only read what is public.
                let named = ask(&own, caller, route, &path, Some(&names.tenant)).await;
                assert_innocent(&named);
                // The list of leaderboards has those that everybody may know of, and the tenant's are private.
                let lists = route.pattern == "/leaderboards" && route.verb == Verb::Get && named.status == 200;
                // A summary needs a player, and that is found out first.
                let asks_more = route.pattern.ends_with("/summary") && named.status == 400;
                assert!(lists || asks_more || matches!(named.status, 401 | 403 | 404), "{route:?} {named:?}");
            }
        }
        // The others did all that there is to write, in a tenant of their own.
        let writes = routes.iter().filter(|route| route.body != BodyKind::None && route.permission != Permission::Operator);
        let undone: Vec<_> = writes
            .filter(|route| !done.contains(&(route.verb.name(), route.pattern)))
            .map(|route| route.pattern)
            .collect();
        assert_eq!(undone, ["/keys/:key/rotate", "/ofrep/v1/evaluate/flags/:flag"]);
        assert_eq!(seen(edgeboard, &names).await, before);
    }

    async fn a_cursor_of_another_tenant_leads_nowhere_but_home(edgeboard) {
        let other = Edgeboard::new(&edgeboard.url);
        for (tenant, title) in [(edgeboard, SECRET), (&other, "b")] {
            for board in ["x", "y", "z"] {
                tenant.board(board, &json!({"title": title})).await;
                tenant.score(board, &format!("{title}-1"), 1).await;
                tenant.score(board, &format!("{title}-2"), 2).await;
            }
        }
        for path in ["/leaderboards?limit=1", "/leaderboards/x/entries?limit=1"] {
            let cursor = edgeboard.get(path).await.is(200)["next"].as_str().unwrap().to_owned();
            let answer = other.get(&format!("{path}&cursor={cursor}")).await;
            assert_innocent(&answer);
        }
    }
}
