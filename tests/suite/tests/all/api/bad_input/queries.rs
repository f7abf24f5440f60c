//! Tests of invalid paths and queries.

use super::{At, Row, assert_all_refused};
use crate::cases::api_cases;

/// Returns a row with a read whose parameter `name` is invalid.
fn invalid_read(path: impl Into<String>, name: &'static str) -> Row {
    Row::new("GET", path, 400, "invalid-parameter", At::Parameter(name))
}

api_cases! {
    async fn invalid_queries_of_a_list_are_refused(api) {
        let mut rows = Vec::new();
        for limit in ["0", "1001", "-1", "", "x", "1.5", "+5", "%205", "99999999999999999999", "0x10"] {
            rows.push(invalid_read(format!("/leaderboards/b/entries?limit={limit}"), "limit"));
        }
        for period in ["", "yesterday", "2020", "2020-02-30", "2020-01-01T00:00:00", "CURRENT", "0000-01-01T00:00:00Z", "%00", "%FF"] {
            rows.push(invalid_read(format!("/leaderboards/b/entries?period={period}"), "period"));
        }
        rows.push(invalid_read("/leaderboards/b/entries?limit=5&limit=5", "limit"));
        rows.push(invalid_read("/leaderboards/b/entries?page=2", "page"));
        rows.push(invalid_read("/leaderboards/b/entries?Limit=2", "Limit"));
        rows.push(invalid_read("/leaderboards/b/entries?limit=2&=", ""));
        rows.push(Row::new("GET", "/leaderboards/b/entries?period=previous", 404, "period-not-found", At::Nothing));
        rows.push(Row::new("GET", "/leaderboards/none/entries", 404, "leaderboard-not-found", At::Nothing));
        rows.push(invalid_read("/leaderboards/B/entries", "leaderboard"));
        assert_all_refused(api, rows).await;
    }

    async fn invalid_players_in_queries_and_paths_are_refused(api) {
        let many = vec!["p"; 201].iter().enumerate().map(|(n, p)| format!("{p}{n}")).collect::<Vec<_>>().join(",");
        let mut rows = vec![
            invalid_read(format!("/leaderboards/b/entries?players={many}"), "players"),
            invalid_read("/leaderboards/b/entries?players=a&limit=5", "limit"),
            invalid_read("/leaderboards/b/entries?players=a&cursor=x", "cursor"),
            invalid_read("/leaderboards/b/entries?players=a&players=b", "players"),
        ];
        let long = "x".repeat(129);
        for players in ["", ",", "a,", "a,,b", "a%0Ab", "a%00", "%FF", &long] {
            rows.push(invalid_read(format!("/leaderboards/b/entries?players={players}"), "players"));
        }
        for player in ["%FF", "a%0Ab", "%00", "%C2%85", &long] {
            for route in ["entries/:p", "entries/:p/around"] {
                rows.push(invalid_read(format!("/leaderboards/b/{}", route.replace(":p", player)), "player"));
            }
            rows.push(Row::new("DELETE", format!("/leaderboards/b/scores/{player}"), 400, "invalid-parameter", At::Parameter("player")));
            rows.push(Row::new("PUT", format!("/players/{player}/ban"), 400, "invalid-parameter", At::Parameter("player")));
        }
        assert_all_refused(api, rows).await;
    }

    async fn invalid_queries_of_entries_windows_and_distributions_are_refused(api) {
        let mut rows = vec![
            invalid_read("/leaderboards/b/entries/a?limit=5", "limit"),
            invalid_read("/leaderboards/b/entries/a?period=x", "period"),
            invalid_read("/leaderboards/b/entries/a/around?limit=0", "limit"),
            invalid_read("/leaderboards/b/entries/a/around?limit=1001", "limit"),
            invalid_read("/leaderboards/b/entries/a/around?cursor=x", "cursor"),
            invalid_read("/leaderboards/b/periods?limit=0", "limit"),
            invalid_read("/leaderboards/b/distribution?buckets=0", "buckets"),
            invalid_read("/leaderboards/b/distribution?buckets=101", "buckets"),
            invalid_read("/dead-letters?limit=0", "limit"),
            invalid_read("/dead-letters?limit=1001", "limit"),
            invalid_read("/health/live?verbose=1", "verbose"),
            Row::new("GET", "/leaderboards/b/entries/nobody", 404, "entry-not-found", At::Nothing),
            Row::new("DELETE", "/leaderboards/b/scores/a?period=x", 400, "invalid-parameter", At::Parameter("period")),
            Row::new("DELETE", "/leaderboards/b/scores/a?all=1", 400, "invalid-parameter", At::Parameter("all")),
            Row::new("PUT", "/players/a/ban?for=ever", 400, "invalid-parameter", At::Parameter("for")),
            Row::new("POST", "/scores?x=1", 400, "invalid-parameter", At::Parameter("x")).body("{}"),
        ];
        for score in ["", "x", "1.5", "NaN", "9223372036854775808", "-9223372036854775809", "01", "%2B1"] {
            rows.push(invalid_read(format!("/leaderboards/b/distribution?score={score}"), "score"));
        }
        assert_all_refused(api, rows).await;
    }

    /// `me` means the player of a token, and the operator's key has no player.
    async fn me_is_refused_for_a_caller_without_a_player(api) {
        let mut rows = vec![
            invalid_read("/leaderboards/b/entries?players=p,me", "players"),
            invalid_read("/bans?limit=201", "limit"),
        ];
        for (verb, path) in [
            ("PUT", "/players/me/ban"),
            ("GET", "/players/me/ban"),
            ("DELETE", "/players/me/ban"),
            ("DELETE", "/leaderboards/b/scores/me"),
            ("GET", "/leaderboards/b/entries/me"),
            ("GET", "/leaderboards/b/entries/me/around"),
            ("GET", "/leaderboards/b/summary"),
            ("GET", "/leaderboards/b/summary?player=me"),
        ] {
            rows.push(Row::new(verb, path, 400, "invalid-parameter", At::Parameter("player")));
        }
        assert_all_refused(api, rows).await;
        let refused = api.get("/leaderboards/b/entries/me").await;
        assert!(String::from_utf8_lossy(&refused.body).contains("this request has none"), "{refused:?}");
    }
}
