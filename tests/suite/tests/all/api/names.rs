//! Tests that players may have any name, in paths, queries, bodies and cursors.

use leaderboard_test_support::{ApiClient, encode_segment};
use serde_json::json;

use crate::cases::api_cases;

/// Returns names that a component with an encoding error would change, split or refuse.
fn unusual_names() -> Vec<String> {
    let named = [
        "José Piendibene (Uruguay)",
        "Jose\u{301} Piendibene (Uruguay)",
        "a/b",
        "..",
        ".",
        "/",
        "a,b",
        ",",
        "100%",
        "%2F",
        "%41",
        "a+b",
        "a b",
        " ",
        "  leading and trailing  ",
        "?limit=1",
        "#",
        "a&b=c",
        "a;b",
        "\\",
        "\"quoted\"",
        "'; DROP TABLE entries; --",
        "{tenant}:*",
        "😀👩‍👩‍👧‍👦",
        "مرحبا بالعالم",
        "\u{202e}override\u{202c}",
        "日本語",
        "\u{200b}",
        "\u{feff}bom",
        "\u{10ffff}",
        "null",
        "around",
        "A",
        "a",
    ];
    let mut names: Vec<String> = named.map(str::to_owned).to_vec();
    names.push("é".repeat(64));
    names.push("x".repeat(128));
    names
}

/// Creates the leaderboard `b` with a player of each unusual name. Returns the names in order of rank.
async fn create_players(api: &ApiClient) -> Vec<String> {
    api.create_leaderboard("b", &json!({})).await;
    let names = unusual_names();
    let submissions: Vec<_> = (0..)
        .zip(&names)
        .map(|(n, name)| json!({"player": name, "score": 1000 - n}))
        .collect();
    api.submit_all("b", &submissions).await;
    names
}

api_cases! {
    async fn each_name_is_one_player_and_is_returned_unchanged(api) {
        let names = create_players(api).await;
        let listed: Vec<_> = api.list_entries("b").await.into_iter().map(|entry| entry.player).collect();
        assert_eq!(listed, names);
    }

    async fn each_name_is_found_by_path(api) {
        for (name, rank) in create_players(api).await.iter().zip(1..) {
            let entry = api.read_entry("b", name).await.expect_status(200);
            assert_eq!((&entry["entry"]["player"], &entry["entry"]["rank"]), (&json!(name), &json!(rank)));
            let path = format!("/leaderboards/b/entries/{}/around?limit=1", encode_segment(name));
            assert_eq!(api.get(&path).await.expect_status(200)["entries"][0]["player"], *name);
        }
    }

    async fn each_name_is_found_in_a_list_of_players(api) {
        let names = create_players(api).await;
        let requested: Vec<_> = names.iter().map(|name| encode_segment(name)).collect();
        let answer = api.page("b", &format!("?players={}", requested.join(","))).await;
        assert_eq!(answer["not_found"], json!([]));
        let found: Vec<_> = answer["entries"].as_array().unwrap().iter().map(|entry| entry["player"].clone()).collect();
        assert_eq!(found, names);
    }

    async fn a_cursor_may_contain_each_name(api) {
        let names = create_players(api).await;
        let (mut query, mut seen) = ("?limit=1".to_owned(), Vec::new());
        loop {
            let page = api.page("b", &query).await;
            seen.push(page["entries"][0]["player"].as_str().unwrap().to_owned());
            let Some(next) = page["next"].as_str() else { break };
            query = format!("?limit=1&cursor={next}");
        }
        assert_eq!(seen, names);
    }

    async fn a_player_of_each_name_can_be_removed(api) {
        let names = create_players(api).await;
        for (left, name) in (0..names.len()).rev().zip(&names) {
            api.delete(&format!("/leaderboards/b/scores/{}", encode_segment(name))).await.expect_status(204);
            assert_eq!(api.list_entries("b").await.len(), left, "{name:?}");
        }
    }
}
