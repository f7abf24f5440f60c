//! Shortcuts for the requests that tests send to an instance.

use std::collections::BTreeMap;

use leaderboard_test_support::ADMIN_KEY;
use serde_json::{Value, json};

use super::answer::{Answer, RequestText, request, request_at};
use super::instance::Instance;

impl Instance {
    /// Sends a request with these headers, and runs the deferred work. The path gets the prefix `/api/v1`,
    /// unless it begins with `/api/` or `/ofrep/`.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        body: impl RequestText,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.answer_and_settle(request(method, path, body, headers))
    }

    /// Sends a request without a body, and runs the deferred work. Adds no prefix to the path.
    pub(crate) fn send_at(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.answer_and_settle(request_at(method, path, "", headers))
    }

    /// Sends a request with the operator's key.
    pub(crate) fn call(&self, method: &str, path: &str, body: impl RequestText) -> Answer {
        self.call_with(method, path, body, &[])
    }

    /// Does the same as [`Instance::call`], with more headers.
    pub(crate) fn call_with(
        &self,
        method: &str,
        path: &str,
        body: impl RequestText,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut all = vec![("x-api-key", ADMIN_KEY)];
        if !self.options().tenant.is_empty() {
            all.push(("x-tenant-id", self.options().tenant));
        }
        all.extend(headers);
        self.send(method, path, body, &all)
    }

    /// Sends `GET` without a credential.
    pub(crate) fn anonymous(&self, path: &str) -> Answer {
        self.send("GET", path, "", &[])
    }

    /// Sends `GET` without a credential from a client address. Does not run the deferred work.
    pub(crate) fn from(&self, client: &str, path: &str) -> Answer {
        self.answer(request("GET", path, "", &[("spin-client-addr", client)]))
    }

    /// Sends a request with an API key.
    pub(crate) fn with_key(&self, key: &str, method: &str, path: &str, body: impl RequestText) -> Answer {
        self.send(method, path, body, &[("x-api-key", key)])
    }

    /// Sends a request with a token.
    pub(crate) fn with_token(&self, token: &str, method: &str, path: &str, body: impl RequestText) -> Answer {
        self.send(
            method,
            path,
            body,
            &[("authorization", &format!("Bearer {token}"))],
        )
    }

    /// Sends a request of the operator for a tenant. Returns its status.
    pub(crate) fn for_tenant(&self, tenant: &str, method: &str, path: &str, body: impl RequestText) -> u16 {
        let headers = [("x-api-key", ADMIN_KEY), ("x-tenant-id", tenant)];
        self.send(method, path, body, &headers).status
    }

    /// Reads the leaderboard `b` with a token. Returns the status.
    pub(crate) fn read_with_token(&self, token: &str) -> u16 {
        self.with_token(token, "GET", "/leaderboards/b/entries", "")
            .status
    }

    /// Returns the events of a page of an audit log, newest first.
    pub(crate) fn list_audit_events(&self, path: &str) -> Vec<Value> {
        let log = self.call("GET", path, &Value::Null).json();
        let records = log["records"].as_array().unwrap().iter();
        records.map(|record| record["event"].clone()).collect()
    }

    /// Returns the metrics that the region has counted, by series.
    pub(crate) fn counted(&self) -> BTreeMap<String, u64> {
        let entries = self.key_value.entries.borrow();
        let slots = entries
            .iter()
            .filter(|(key, _)| key.starts_with("metrics:counts:"));
        let mut all = BTreeMap::new();
        for (series, count) in
            slots.flat_map(|(_, slot)| serde_json::from_slice::<BTreeMap<String, u64>>(slot).unwrap())
        {
            *all.entry(series).or_default() += count;
        }
        all
    }

    /// Creates an API key. Returns its id and its text.
    pub(crate) fn make_key(&self, body: &Value) -> (String, String) {
        let made = self.call("POST", "/keys", body).expect_status(201);
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        (text("id"), text("key"))
    }

    /// Creates an API key for a server that reads and writes scores. Returns the text of the key.
    pub(crate) fn make_server_key(&self) -> String {
        self.make_key(&json!({"name": "server", "scopes": ["scores:read", "scores:write"]}))
            .1
    }

    /// Issues a token for a player, with the API key of a server. Returns the token.
    pub(crate) fn issue_token(&self, key: &str, player: &str) -> String {
        let issued = self.with_key(key, "POST", "/tokens", json!({ "player": player }));
        issued.expect_status(201)["token"].as_str().unwrap().to_owned()
    }

    /// Creates a leaderboard `b`. Only credentials of its tenant can read it, and players can write to it.
    pub(crate) fn create_leaderboard(&self) {
        let body = json!({"access": {"read": "private", "write": "player"}});
        self.call("PUT", "/leaderboards/b", body).expect_status(201);
    }
}
