//! What tests ask of an instance.

use std::collections::BTreeMap;

use leaderboard_test_support::ADMIN_KEY;
use serde_json::{Value, json};

use super::answer::{Answer, RequestText, request, request_at};
use super::instance::Instance;

impl Instance {
    /// Sends a request with these headers, to a path of version 1 unless the path begins with `/api` or `/ofrep`.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        body: impl RequestText,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.answer_and_settle(request(method, path, body, headers))
    }

    /// Sends a request to a path with or without a version in it.
    pub(crate) fn send_at(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.answer_and_settle(request_at(method, path, "", headers))
    }

    /// Sends a request with the operator's key.
    pub(crate) fn call(&self, method: &str, path: &str, body: impl RequestText) -> Answer {
        self.call_with(method, path, body, &[])
    }

    /// As [`Instance::call`], with more headers.
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

    /// Sends `GET` without a credential from an address, and leaves what comes after the response undone.
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

    /// What the region has counted, by series.
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

    /// Makes an API key: its id and its text.
    pub(crate) fn make_key(&self, body: &Value) -> (String, String) {
        let made = self.call("POST", "/keys", body).expect_status(201);
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        (text("id"), text("key"))
    }

    /// Makes a key of a server, which reads and writes scores.
    pub(crate) fn make_server_key(&self) -> String {
        self.make_key(&json!({"name": "server", "scopes": ["scores:read", "scores:write"]}))
            .1
    }

    /// Issues a player's token with the key of a server.
    pub(crate) fn issue_token(&self, key: &str, player: &str) -> String {
        let issued = self.with_key(key, "POST", "/tokens", json!({ "player": player }));
        issued.expect_status(201)["token"].as_str().unwrap().to_owned()
    }

    /// Makes a leaderboard `b` that only its tenant's credentials may read, and players may write.
    pub(crate) fn make_board(&self) {
        let body = json!({"access": {"read": "private", "write": "player"}});
        self.call("PUT", "/leaderboards/b", body).expect_status(201);
    }
}
