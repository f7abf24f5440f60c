//! Tests of the command-line tool on the real components: one test for each group of its commands, on both
//! stores.

use std::io::Write;
use std::process::{Command, Stdio};

use leaderboard_test_support::{ADMIN_KEY, ApiClient, tool_program};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cases::http_cases;

/// The result of a run of the tool.
pub(crate) struct ToolRun {
    code: i32,
    out: String,
    pub(crate) err: String,
}

impl ToolRun {
    /// Asserts that the tool succeeded, and returns the run.
    #[track_caller]
    pub(crate) fn expect_success(self) -> Self {
        assert_eq!(self.code, 0, "{} {}", self.out, self.err);
        self
    }

    /// Asserts that the server refused the request with this status, and returns the run.
    #[track_caller]
    pub(crate) fn expect_refusal(self, status: u16) -> Self {
        assert_eq!(self.code, 3, "{} {}", self.out, self.err);
        let actual = format!("the server refused: {status} ");
        assert!(self.err.contains(&actual), "{}", self.err);
        self
    }

    /// Asserts that the tool succeeded, and returns its output as JSON.
    #[track_caller]
    fn json(self) -> Value {
        let ran = self.expect_success();
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {} {}", ran.out, ran.err))
    }
}

/// The command-line tool as an administrator of one tenant uses it, with an empty home directory.
pub(crate) struct Tool<'a> {
    api: &'a ApiClient,
    key: String,
    home: TempDir,
}

impl<'a> Tool<'a> {
    /// Creates a tool that uses the operator's key and acts for the client's tenant.
    pub(crate) fn new(api: &'a ApiClient) -> Self {
        Self {
            api,
            key: ADMIN_KEY.to_owned(),
            home: tempfile::tempdir().unwrap(),
        }
    }

    /// Runs the tool without input.
    pub(crate) async fn run(&self, args: &[&str]) -> ToolRun {
        self.run_with_input(args, "").await
    }

    /// Runs the tool with `input` on standard input.
    async fn run_with_input(&self, args: &[&str], input: &str) -> ToolRun {
        let mut command = Command::new(tool_program());
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("EDGEBOARD_ADDRESS", self.api.url())
            .env("EDGEBOARD_TENANT", &self.api.tenant)
            .env("EDGEBOARD_KEY", &self.key)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let input = input.to_owned();
        let run = move || {
            let mut child = command.spawn().unwrap();
            child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
            child.wait_with_output().unwrap()
        };
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        ToolRun {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the tool with `--json`, asserts that it succeeded, and returns its output.
    pub(crate) async fn json(&self, args: &[&str]) -> Value {
        self.run(&[args, &["--json"]].concat()).await.json()
    }
}

/// Returns the words of a command line.
fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

http_cases! {
    async fn the_tool_manages_leaderboards(api) {
        let tool = Tool::new(api);
        let put = "leaderboards put race --title Race --column laps --column ms:asc --ties shared --keep-periods 5 \
                   --reset-cron @daily --reset-time-zone Europe/Madrid --starts-at 2020-01-01 --max 9007199254740993";
        let put: Vec<&str> = put.split_whitespace().map(|word| if word == "@daily" { "0 0 * * *" } else { word }).collect();
        let made = tool.json(&put).await;
        assert_eq!(made["columns"], json!([{"name": "laps", "order": "desc"}, {"name": "ms", "order": "asc"}]));
        assert_eq!((&made["limits"]["max"], &made["starts_at"]), (&json!("9007199254740993"), &json!("2020-01-01T00:00:00.000Z")));
        tool.run(&words("leaderboards put race --only-new")).await.expect_refusal(412);
        let patched = tool.json(&words("leaderboards patch race --title New --set limits.max=null")).await;
        assert_eq!((&patched["title"], &patched["limits"]["max"]), (&json!("New"), &Value::Null));
        let file = json!({"title": "From a file", "ties": "dense"}).to_string();
        let other = tool.run_with_input(&words("leaderboards put other --file - --ties latest --json"), &file).await.json();
        assert_eq!((&other["title"], &other["ties"]), (&json!("From a file"), &json!("latest")));
        let list = tool.json(&words("leaderboards list --limit 1")).await;
        assert_eq!(list["leaderboards"].as_array().unwrap().len(), 1);
        let all = tool.run(&words("leaderboards list")).await.expect_success();
        assert!(all.out.contains("race") && all.out.contains("laps desc, ms asc"), "{}", all.out);
        api.submit("race", &json!({"player": "ann", "values": {"laps": 3, "ms": 5}})).await;
        let periods = tool.json(&words("leaderboards periods race")).await;
        assert_eq!(periods["periods"][0]["count"], 1);
        tool.run(&words("leaderboards delete race")).await.expect_success();
        tool.run(&words("leaderboards get race")).await.expect_refusal(404);
        let wrong = tool.run(&words("leaderboards put race --reset-cron nonsense --reset-time-zone UTC")).await.expect_refusal(422);
        assert!(wrong.err.contains("#/reset"), "{}", wrong.err);
    }

    async fn the_tool_deletes_a_score(api) {
        let tool = Tool::new(api);
        api.create_leaderboard("b", &json!({})).await;
        api.submit_score("b", "José/", 1).await;
        tool.run(&words("scores delete b José/ --period current")).await.expect_success();
        assert!(api.list_entries("b").await.is_empty());
    }

    async fn the_tool_manages_bans(api) {
        let tool = Tool::new(api);
        api.create_leaderboard("b", &json!({})).await;
        api.submit_score("b", "ann", 1).await;
        tool.run(&words("bans put ann --reason cheats --expires-at 2099-01-01")).await.expect_success();
        assert!(api.list_entries("b").await.is_empty());
        let ban = tool.json(&words("bans get ann")).await;
        assert_eq!((&ban["reason"], &ban["expires_at"]), (&json!("cheats"), &json!("2099-01-01T00:00:00.000Z")));
        let list = tool.run(&words("bans list")).await.expect_success();
        assert!(list.out.contains("ann") && list.out.contains("cheats"), "{}", list.out);
        tool.run(&words("bans delete ann")).await.expect_success();
        assert_eq!(api.list_entries("b").await.len(), 1);
        tool.run(&words("bans get ann")).await.expect_refusal(404);
    }

    async fn the_tool_manages_keys(api) {
        let tool = Tool::new(api);
        let line = "keys create --name server --scopes scores:write,admin --expires-at 2099-01-01";
        let made = tool.run(&words(line)).await.expect_success();
        let secret = made.out.trim_end().to_owned();
        assert!(secret.starts_with("eb_") && !secret.contains(char::is_whitespace), "{secret}");
        assert!(!made.err.contains(&secret), "{}", made.err);
        let list = tool.json(&words("keys list")).await;
        let id = list["keys"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(list["keys"][0]["expires_at"], "2099-01-01T00:00:00.000Z");
        // The tool works with the new key, and with its secret after a rotation.
        let with_key = Tool { key: secret, ..Tool::new(api) };
        with_key.run(&words("leaderboards put b")).await.expect_success();
        let rotated = tool.run(&["keys", "rotate", &id, "--overlap-s", "0"]).await.expect_success();
        let with_next = Tool { key: rotated.out.trim_end().to_owned(), ..Tool::new(api) };
        assert_eq!(with_next.json(&["keys", "get", &id]).await["name"], "server");
        tool.run(&["keys", "revoke", &id]).await.expect_success();
        assert!(tool.json(&["keys", "get", &id]).await["revoked_at"].is_string());
    }

    async fn the_tool_creates_a_player_token(api) {
        let tool = Tool::new(api);
        let made = tool.run(&words("tokens create --player ann --scopes scores:read --lifetime-s 60")).await.expect_success();
        assert_eq!(made.out.trim_end().split('.').count(), 3, "{}", made.out);
        assert!(made.err.contains("ann"), "{}", made.err);
    }

    async fn the_tool_manages_issuers(api) {
        let tool = Tool::new(api);
        let issuer = format!("https://{}.example", api.tenant);
        let keys = json!({"keys": [{"kid": "a", "secret": "c2VjcmV0IHRoYXQgaXMgbG9uZyBlbm91Z2ggZm9yIEhTMjU2"}]}).to_string();
        let line = ["issuers", "put", "games", "--file", "-", "--json", "--issuer", &issuer, "--audiences", "game"];
        assert_eq!(tool.run_with_input(&line, &keys).await.json()["issuer"], json!(issuer));
        let list = tool.run(&words("issuers list")).await.expect_success();
        assert!(list.out.contains(&issuer), "{}", list.out);
        assert_eq!(tool.json(&words("issuers get games")).await["audiences"], json!(["game"]));
        tool.run(&words("issuers delete games")).await.expect_success();
        tool.run(&words("issuers get games")).await.expect_refusal(404);
        assert_eq!(tool.json(&words("issuers list --operator")).await["next"], Value::Null);
    }

    async fn the_tool_manages_flags(api) {
        let tool = Tool::new(api);
        let flags = json!({"flags": {"new": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on"}}}).to_string();
        tool.run_with_input(&words("flags put --file -"), &flags).await.expect_success();
        let shown = tool.run(&words("flags get")).await.expect_success();
        assert!(shown.out.contains("new") && shown.out.contains("ENABLED"), "{}", shown.out);
        tool.run(&words("flags delete")).await.expect_success();
        tool.run(&words("flags get")).await.expect_refusal(404);
    }

    async fn the_tool_manages_limits(api) {
        let tool = Tool::new(api);
        let set = tool.json(&words("limits put --set policies.player.quota=50 --set policies.player.window_s=1")).await;
        assert_eq!(set["policies"]["player"]["quota"], 50);
        let shown = tool.run(&words("limits get")).await.expect_success();
        assert!(shown.out.contains("policies.player.quota"), "{}", shown.out);
        assert_eq!(tool.json(&words("limits get --operator")).await["policies"]["player"], "off");
        tool.run(&words("limits delete")).await.expect_success();
    }

    async fn the_tool_manages_tenants(api) {
        let tool = Tool::new(api);
        let tenant = api.tenant.as_str();
        let put = ["tenants", "put", tenant, "--title", "Acme", "--max-entries", "1000"];
        assert_eq!(tool.json(&put).await["quotas"]["entries"], 1000);
        assert_eq!(tool.json(&["tenants", "patch", tenant, "--max-leaderboards", "5"]).await["quotas"]["leaderboards"], 5);
        let shown = tool.run(&["tenants", "get", tenant]).await.expect_success();
        assert!(shown.out.contains("Acme") && shown.out.contains("(etag)"), "{}", shown.out);
        assert_eq!(tool.json(&["tenants", "get"]).await["id"], tenant);
        let all = tool.json(&words("tenants list --limit 1000")).await;
        assert!(all["tenants"].as_array().unwrap().iter().any(|record| record["id"] == tenant));
        let moved = tool.run(&["shards", "move", tenant, "--to", "1"]).await.expect_success();
        assert!(moved.out.contains("done"), "{}", moved.out);
        assert_eq!(tool.json(&["shards", "get", tenant]).await["shard"], 1);
    }

    async fn the_tool_shows_usage(api) {
        let tool = Tool::new(api);
        api.create_leaderboard("b", &json!({})).await;
        let own = tool.json(&words("usage get --days 2")).await;
        assert_eq!((&own["tenant"], &own["holdings"]["leaderboards"]), (&json!(api.tenant), &json!(1)));
        let shown = tool.run(&["usage", "get", &api.tenant]).await.expect_success();
        assert!(shown.out.contains("holdings.leaderboards 1"), "{}", shown.out);
    }

    /// `events::dead_letters` tests commands for existing dead letters, because it publishes scores.
    async fn unknown_dead_letters_are_refused(api) {
        let tool = Tool::new(api);
        let list = tool.json(&["dead-letters", "list", "--of-tenant", &api.tenant]).await;
        assert_eq!(list["letters"], json!([]));
        for verb in ["replay", "drop"] {
            let refused = tool.run(&["dead-letters", verb, "4503599627370496"]).await.expect_refusal(404);
            assert!(refused.err.contains("dead letter"), "{}", refused.err);
        }
    }

    async fn the_tool_lists_the_audit_log(api) {
        let tool = Tool::new(api);
        tool.run(&words("leaderboards put one")).await.expect_success();
        tool.run(&words("leaderboards put two")).await.expect_success();
        let log = tool.run(&words("audit list --limit 1")).await.expect_success();
        assert!(log.out.contains("two") && !log.out.contains("one"), "{}", log.out);
        assert!(log.err.contains("--cursor"), "{}", log.err);
        assert!(tool.json(&words("audit list --operator --limit 1")).await["records"].is_array());
    }
}
