//! Tests of the distribution, compared with counts that are computed here.

use leaderboard_test_support::{ApiClient, PseudoRandom};
use serde_json::{Value, json};

use crate::cases::api_cases;

const PERCENTILES: [usize; 9] = [1, 5, 10, 25, 50, 75, 90, 95, 99];

/// Returns unsorted scores. More of them are near the lower end than near the upper end.
fn clustered_scores(count: u64) -> Vec<i64> {
    let mut numbers = PseudoRandom(17);
    let score = |_| i64::try_from(numbers.below(1000) * numbers.below(1000)).unwrap() - 50_000;
    (0..count).map(score).collect()
}

/// Creates the leaderboard `b` with this configuration and one entry for each score.
async fn create_with_scores(api: &ApiClient, configuration: &Value, scores: &[i64]) {
    api.create_leaderboard("b", configuration).await;
    let submissions: Vec<_> = scores
        .iter()
        .enumerate()
        .map(|(n, score)| json!({"player": format!("p{n}"), "score": score}))
        .collect();
    api.submit_all("b", &submissions).await;
}

/// Checks every field of the distribution of `scores`, where larger scores are better. `ask` is the score
/// whose rank the request asks for.
async fn check_distribution(api: &ApiClient, scores: &[i64], buckets: usize, ask: i64) {
    let query = format!("/leaderboards/b/distribution?buckets={buckets}&score={ask}");
    let answer = api.get(&query).await.expect_status(200);
    assert_eq!(answer["count"], scores.len());
    let actual = answer["buckets"].as_array().unwrap();
    assert!(actual.len() <= buckets && !actual.is_empty());
    let bounds: Vec<_> = actual
        .iter()
        .map(|b| (b["from"].as_i64().unwrap(), b["to"].as_i64().unwrap()))
        .collect();
    let (least, most) = (*scores.iter().min().unwrap(), *scores.iter().max().unwrap());
    assert_eq!((bounds[0].0, bounds[bounds.len() - 1].1), (least, most));
    assert!(
        bounds.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0),
        "{bounds:?}"
    );
    let width = bounds[0].1 - bounds[0].0;
    assert!(
        bounds[..bounds.len() - 1]
            .iter()
            .all(|(from, to)| to - from == width),
        "{bounds:?}"
    );
    for (bucket, (from, to)) in actual.iter().zip(&bounds) {
        let count = scores.iter().filter(|score| (from..=to).contains(score)).count();
        assert_eq!(bucket["count"], count, "{from}..={to}");
    }
    let mut best_first = scores.to_vec();
    best_first.sort_unstable_by(|a, b| b.cmp(a));
    for percent in PERCENTILES {
        let index = (scores.len() - 1) * (100 - percent) / 100;
        assert_eq!(
            answer["percentiles"][percent.to_string()],
            best_first[index],
            "{percent} %"
        );
    }
    let worse = scores.iter().filter(|score| **score < ask).count();
    let better = scores.iter().filter(|score| **score > ask).count();
    let equal = scores.len() - worse - better;
    let ranked = &answer["score"];
    assert_eq!(
        (&ranked["score"], &ranked["rank"]),
        (&json!(ask), &json!(1 + better + equal))
    );
    let percentile = 100.0 * worse as f64 / scores.len() as f64;
    assert!((ranked["percentile"].as_f64().unwrap() - percentile).abs() < 1e-9);
}

api_cases! {
    async fn a_distribution_has_buckets_percentiles_and_the_rank_of_a_score(api) {
        let scores = clustered_scores(1500);
        create_with_scores(api, &json!({}), &scores).await;
        for (buckets, ask) in [(20, scores[7]), (1, 0), (100, 400_000), (7, i64::MAX), (33, i64::MIN)] {
            if ask == i64::MAX || ask == i64::MIN {
                let answer = api.get(&format!("/leaderboards/b/distribution?score={ask}")).await.expect_status(200);
                assert_eq!(answer["score"]["score"], ask.to_string());
                assert_eq!(answer["score"]["rank"], if ask > 0 { 1 } else { 1501 });
                continue;
            }
            check_distribution(api, &scores, buckets, ask).await;
        }
    }

    async fn a_distribution_with_fewer_values_than_buckets_has_one_for_each_value(api) {
        let scores = [3, 1, 1, 2, 3, 3];
        create_with_scores(api, &json!({}), &scores).await;
        check_distribution(api, &scores, 20, 2).await;
        let answer = api.get("/leaderboards/b/distribution").await.expect_status(200);
        let buckets: Vec<_> = [(1, 2), (2, 1), (3, 3)].iter().map(|(v, n)| json!({"from": v, "to": v, "count": n})).collect();
        assert_eq!((&answer["buckets"], &answer["score"]), (&json!(buckets), &Value::Null));
    }

    async fn the_distribution_of_an_ascending_column_ranks_small_scores_first(api) {
        let columns = json!([{"name": "score", "order": "asc"}]);
        create_with_scores(api, &json!({"columns": columns}), &[10, 20, 30, 40]).await;
        let answer = api.get("/leaderboards/b/distribution?buckets=2&score=15").await.expect_status(200);
        assert_eq!(answer["buckets"], json!([{"from": 10, "to": 25, "count": 2}, {"from": 26, "to": 40, "count": 2}]));
        assert_eq!(answer["score"], json!({"score": 15, "rank": 2, "percentile": 75.0}));
        assert_eq!((&answer["percentiles"]["99"], &answer["percentiles"]["1"]), (&json!(10), &json!(30)));
    }

    async fn the_rank_of_a_score_follows_the_tie_policy(api) {
        for (ties, rank) in [("earliest", 5), ("latest", 3), ("shared", 3), ("dense", 2)] {
            api.create_leaderboard(ties, &json!({"ties": ties})).await;
            for (player, score) in [("a", 9), ("b", 9), ("c", 5), ("d", 5), ("e", 1)] {
                let submission = json!({"player": player, "score": score, "occurred_at": "2020-01-01T00:00:00Z"});
                api.submit(ties, &submission).await;
            }
            let answer = api.get(&format!("/leaderboards/{ties}/distribution?score=5")).await.expect_status(200);
            assert_eq!((&answer["score"]["rank"], &answer["score"]["percentile"]), (&json!(rank), &json!(20.0)), "{ties}");
            // A new player with this score gets the same rank.
            assert_eq!(api.submit_score(ties, "new", 5).await["rank"], rank, "{ties}");
        }
    }

    async fn a_distribution_may_be_empty_or_span_all_integers(api) {
        api.create_leaderboard("b", &json!({})).await;
        let answer = api.get("/leaderboards/b/distribution?score=5").await.expect_status(200);
        assert_eq!((&answer["count"], &answer["buckets"], &answer["percentiles"]), (&json!(0), &json!([]), &json!({})));
        assert_eq!(answer["score"], json!({"score": 5, "rank": 1, "percentile": 0.0}));
        api.submit_score("b", "low", i64::MIN).await;
        api.submit_score("b", "high", i64::MAX).await;
        let answer = api.get("/leaderboards/b/distribution?buckets=2").await.expect_status(200);
        assert_eq!(answer["buckets"], json!([
            {"from": "-9223372036854775808", "to": -1, "count": 1},
            {"from": 0, "to": "9223372036854775807", "count": 1},
        ]));
    }
}
