//! Tests of bans: their reason and end, their audit events, and their list.

use serde_json::{Value, json};

use crate::cases::api_cases;

const BAN: &str = "/players/p/ban";

api_cases! {
    async fn a_ban_and_its_audit_event_have_a_reason_and_an_end(api) {
        api.get(BAN).await.expect_problem(404, "ban-not-found");
        let ban = json!({"reason": "speed hack", "expires_at": "2100-07-20T21:04:00+02:00"});
        api.put(BAN, &ban).await.expect_status(204);
        let read = api.get(BAN).await.expect_status(200);
        let banned_at = read["banned_at"].clone();
        let expires_at = "2100-07-20T19:04:00.000Z";
        assert_eq!(read, json!({"player": "p", "reason": "speed hack", "banned_at": banned_at, "expires_at": expires_at}));
        assert_eq!(api.get("/bans").await.expect_status(200), json!({"bans": [read], "next": null}));
        let records = api.get("/audit").await.expect_status(200)["records"].take();
        let event = &records[0]["event"];
        assert_eq!([&event["type"], &event["player"], &event["reason"], &event["expires_at"]], ["ban", "p", "speed hack", expires_at]);
        assert_eq!(records[1]["event"]["route"], "/players/:player/ban");
        // A ban without a body, or with an empty one, has no reason and no end.
        for call in [api.request("PUT", BAN), api.request("PUT", BAN).json(&json!({}))] {
            call.send().await.expect_status(204);
            let ban = api.get(BAN).await.expect_status(200);
            assert_eq!([&ban["reason"], &ban["expires_at"], &ban["banned_at"]], [&Value::Null, &Value::Null, &banned_at]);
        }
        api.delete(BAN).await.expect_status(204);
        api.get(BAN).await.expect_problem(404, "ban-not-found");
        assert_eq!(api.get("/bans").await.expect_status(200), json!({"bans": [], "next": null}));
    }

    async fn bans_are_listed_page_by_page(api) {
        for player in ["c", "a", "d", "b"] {
            api.request("PUT", &format!("/players/{player}/ban")).send().await.expect_status(204);
        }
        let names = |page: &Value| -> Vec<String> {
            page["bans"].as_array().unwrap().iter().map(|ban| ban["player"].as_str().unwrap().to_owned()).collect()
        };
        let first = api.get("/bans?limit=3").await.expect_status(200);
        assert_eq!(names(&first), ["a", "b", "c"]);
        let rest = api.get(&format!("/bans?limit=3&cursor={}", first["next"].as_str().unwrap())).await.expect_status(200);
        assert_eq!((names(&rest), &rest["next"]), (vec!["d".to_owned()], &Value::Null));
    }
}
