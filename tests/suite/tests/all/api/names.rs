//! Tests that players may have any name, in paths, queries, bodies and cursors.

use leaderboard_test_support::encode_segment;
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

api_cases! {
    async fn each_name_is_one_player_in_bodies_paths_queries_and_cursors(api) {
        api.create_leaderboard("b", &json!({})).await;
        let names = unusual_names();
        let submissions: Vec<_> = (0..).zip(&names).map(|(n, name)| json!({"player": name, "score": 1000 - n})).collect();
        api.submit_all("b", &submissions).await;
        let listed: Vec<_> = api.list_entries("b").await.into_iter().map(|entry| entry.player).collect();
        assert_eq!(listed, names);

        let segments: Vec<_> = names.iter().map(|name| encode_segment(name)).collect();
        let answer = api.page("b", &format!("?players={}", segments.join(","))).await;
        assert_eq!(answer["not_found"], json!([]));
        let found: Vec<_> = answer["entries"].as_array().unwrap().iter().map(|entry| entry["player"].clone()).collect();
        assert_eq!(found, names);

        let (mut query, mut seen) = ("?limit=1".to_owned(), Vec::new());
        loop {
            let page = api.page("b", &query).await;
            seen.push(page["entries"][0]["player"].as_str().unwrap().to_owned());
            let Some(next) = page["next"].as_str() else { break };
            query = format!("?limit=1&cursor={next}");
        }
        assert_eq!(seen, names);

        for ((name, segment), rank) in names.iter().zip(&segments).zip(1..) {
            let entry = api.read_entry("b", name).await.expect_status(200);
            assert_eq!((&entry["entry"]["player"], &entry["entry"]["rank"]), (&json!(name), &json!(rank)));
            let path = format!("/leaderboards/b/entries/{segment}/around?limit=1");
            assert_eq!(api.get(&path).await.expect_status(200)["entries"][0]["player"], *name);
        }
        for ((name, segment), left) in names.iter().zip(&segments).zip((0..names.len()).rev()) {
            let ban = format!("/players/{segment}/ban");
            api.request("PUT", &ban).send().await.expect_status(204);
            assert_eq!(api.get(&ban).await.expect_status(200)["player"], *name);
            api.delete(&ban).await.expect_status(204);
            api.delete(&format!("/leaderboards/b/scores/{segment}")).await.expect_status(204);
            assert_eq!(api.list_entries("b").await.len(), left, "{name:?}");
        }
    }
}
