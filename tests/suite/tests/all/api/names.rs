//! Players of any name, in paths, queries, bodies and cursors.

use serde_json::json;

use crate::edgeboard::{Edgeboard, over_http, segment};

/// Names that some layer of some other system would change, split or refuse.
fn names() -> Vec<String> {
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

async fn all_named(edgeboard: &Edgeboard) -> Vec<String> {
    edgeboard.board("b", &json!({})).await;
    let names = names();
    let submissions: Vec<_> = (0..)
        .zip(&names)
        .map(|(n, name)| json!({"player": name, "score": 1000 - n}))
        .collect();
    edgeboard.submit_all("b", &submissions).await;
    names
}

over_http! {
    async fn each_is_one_player_and_comes_back_as_it_was_sent(edgeboard) {
        let names = all_named(edgeboard).await;
        let listed: Vec<_> = edgeboard.list("b").await.into_iter().map(|one| one.player).collect();
        assert_eq!(listed, names);
    }

    async fn each_is_found_by_path(edgeboard) {
        for (name, rank) in all_named(edgeboard).await.iter().zip(1..) {
            let entry = edgeboard.entry("b", name).await.is(200);
            assert_eq!((&entry["entry"]["player"], &entry["entry"]["rank"]), (&json!(name), &json!(rank)));
            let path = format!("/leaderboards/b/entries/{}/around?limit=1", segment(name));
            assert_eq!(edgeboard.get(&path).await.is(200)["entries"][0]["player"], *name);
        }
    }

    async fn each_is_found_in_a_list_of_players(edgeboard) {
        let names = all_named(edgeboard).await;
        let asked: Vec<_> = names.iter().map(|name| segment(name)).collect();
        let answer = edgeboard.page("b", &format!("?players={}", asked.join(","))).await;
        assert_eq!(answer["not_found"], json!([]));
        let found: Vec<_> = answer["entries"].as_array().unwrap().iter().map(|entry| entry["player"].clone()).collect();
        assert_eq!(found, names);
    }

    async fn each_is_a_place_where_a_list_goes_on(edgeboard) {
        let names = all_named(edgeboard).await;
        let (mut query, mut seen) = ("?limit=1".to_owned(), Vec::new());
        loop {
            let page = edgeboard.page("b", &query).await;
            seen.push(page["entries"][0]["player"].as_str().unwrap().to_owned());
            let Some(next) = page["next"].as_str() else { break };
            query = format!("?limit=1&cursor={next}");
        }
        assert_eq!(seen, names);
    }

    async fn each_can_be_removed(edgeboard) {
        let names = all_named(edgeboard).await;
        for (left, name) in (0..names.len()).rev().zip(&names) {
            edgeboard.delete(&format!("/leaderboards/b/scores/{}", segment(name))).await.is(204);
            assert_eq!(edgeboard.list("b").await.len(), left, "{name:?}");
        }
    }
}
