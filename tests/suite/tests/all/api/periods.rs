//! Tests of periods: which period a score belongs to, and how requests name periods.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use leaderboard_test_support::ApiClient;
use serde_json::{Value, json};

use crate::cases::api_cases;

/// Creates the leaderboard `b`, whose periods are years.
async fn create_yearly(api: &ApiClient, keep_periods: u16) {
    let reset = json!({"cron": "0 0 1 1 *", "time_zone": "UTC"});
    api.create_leaderboard("b", &json!({"reset": reset, "keep_periods": keep_periods}))
        .await;
}

/// Submits a score of this time and returns the id of its period.
async fn submit_at(api: &ApiClient, player: &str, score: i64, time: &str) -> Value {
    api.submit(
        "b",
        &json!({"player": player, "score": score, "occurred_at": time}),
    )
    .await["period"]
        .clone()
}

/// Returns the present time in whole milliseconds.
pub(super) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_millisecond(i64::try_from(since_epoch.as_millis()).unwrap()).unwrap()
}

fn this_year() -> i16 {
    now().to_zoned(TimeZone::UTC).year()
}

/// Returns the first instant of a year, which is also the id of its period.
fn start_of_year(year: i16) -> String {
    format!("{year:04}-01-01T00:00:00Z")
}

api_cases! {
    async fn a_period_is_named_by_current_previous_an_id_or_an_instant(api) {
        create_yearly(api, 12).await;
        let year = this_year();
        api.submit_score("b", "now", 1).await;
        submit_at(api, "before", 2, &format!("{}-06-15T12:00:00Z", year - 1)).await;
        let players = async |period: &str| -> Vec<Value> {
            let page = api.page("b", period).await;
            page["entries"].as_array().unwrap().iter().map(|entry| entry["player"].clone()).collect()
        };
        for period in ["", "?period=current", &format!("?period={}", start_of_year(year))] {
            assert_eq!(players(period).await, ["now"], "{period}");
        }
        for period in [
            "?period=previous".to_owned(),
            format!("?period={}", start_of_year(year - 1)),
            format!("?period={}-12-31T23:59:59.999Z", year - 1),
            format!("?period={}-12-31T23%3A00%3A00-00:30", year - 1),
        ] {
            assert_eq!(players(&period).await, ["before"], "{period}");
        }
        assert_eq!(players(&format!("?period={}", start_of_year(year - 2))).await, Vec::<Value>::new());
        for route in ["entries/before?", "entries/before/around?", "entries?players=before&", "distribution?"] {
            let answer = api.get(&format!("/leaderboards/b/{route}period=previous")).await.expect_status(200);
            assert_eq!((&answer["count"], &answer["period"]["id"]), (&json!(1), &json!(start_of_year(year - 1))), "{route}");
        }
        api.get("/leaderboards/b/entries/before").await.expect_problem(404, "entry-not-found");
    }

    async fn periods_are_listed_newest_first_with_bounds_and_counts(api) {
        create_yearly(api, 1000).await;
        assert_eq!(api.get("/leaderboards/b/periods").await.expect_status(200), json!({"leaderboard": "b", "periods": [], "next": null}));
        for (player, year) in [("a", 1999), ("b", 2005), ("a", 2005), ("a", 1916)] {
            submit_at(api, player, 1, &format!("{year}-07-02T00:00:00Z")).await;
        }
        let answer = api.get("/leaderboards/b/periods").await.expect_status(200);
        let actual: Vec<_> = answer["periods"].as_array().unwrap().iter()
            .map(|period| (period["id"].as_str().unwrap(), period["ends_at"].as_str().unwrap(), period["count"].as_u64().unwrap()))
            .collect();
        assert_eq!(actual, [
            ("2005-01-01T00:00:00Z", "2006-01-01T00:00:00.000Z", 2),
            ("1999-01-01T00:00:00Z", "2000-01-01T00:00:00.000Z", 1),
            ("1916-01-01T00:00:00Z", "1917-01-01T00:00:00.000Z", 1),
        ]);
        let versions: Vec<_> = answer["periods"].as_array().unwrap().iter().map(|p| p["version"].as_u64().unwrap()).collect();
        let page = api.page("b", "?period=2005-06-01T00:00:00Z").await;
        assert_eq!((&page["count"], &page["period"]), (&json!(2), &json!({
            "id": "2005-01-01T00:00:00Z", "starts_at": "2005-01-01T00:00:00.000Z", "ends_at": "2006-01-01T00:00:00.000Z",
        })));
        // A version is a position in the event log, so a period with a later submission has a higher version.
        assert!(versions[2] > versions[0] && versions[0] > versions[1], "{versions:?}");
    }

    async fn an_expired_period_refuses_scores_and_is_not_found(api) {
        create_yearly(api, 2).await;
        let year = this_year();
        let late = json!({"player": "p", "score": 1, "occurred_at": format!("{}-03-04T00:00:00Z", year - 2)});
        api.post("/leaderboards/b/scores", &late).await.expect_problem(409, "period-expired");
        let gone = format!("/leaderboards/b/entries?period={}", start_of_year(year - 2));
        api.get(&gone).await.expect_problem(404, "period-not-found");
    }

    async fn a_leaderboard_without_a_reset_has_one_period(api) {
        api.create_leaderboard("b", &json!({})).await;
        assert_eq!(submit_at(api, "p", 1, "1916-07-02T00:00:00Z").await, "all");
        for period in ["", "?period=all", "?period=current", "?period=2020-02-02T00:00:00Z"] {
            let page = api.page("b", period).await;
            assert_eq!((&page["count"], &page["period"]), (&json!(1), &json!({"id": "all", "starts_at": null, "ends_at": null})));
        }
        api.get("/leaderboards/b/entries?period=previous").await.expect_problem(404, "period-not-found");
    }

    async fn a_score_from_the_future_is_refused(api) {
        api.create_leaderboard("b", &json!({})).await;
        let at = |seconds: i64| (now() + jiff::SignedDuration::from_secs(seconds)).to_string();
        let submission = json!({"player": "p", "score": 1, "occurred_at": at(3600)});
        let refused = api.post("/leaderboards/b/scores", &submission).await.expect_problem(422, "validation");
        assert_eq!(refused["errors"][0]["pointer"], "#/occurred_at");
        assert!(refused["errors"][0]["detail"].as_str().unwrap().starts_with("is in the future; it is 20"));
        // Clocks differ a little, so a score of the near future is accepted.
        api.submit("b", &json!({"player": "p", "score": 1, "occurred_at": at(20)})).await;
    }
}
