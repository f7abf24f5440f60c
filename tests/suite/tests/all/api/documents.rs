//! Tests of the documents of a tenant: flags and limits. Each has an ETag.

use serde_json::{Value, json};

use crate::cases::api_cases;

api_cases! {
    async fn a_document_has_an_etag_for_conditional_requests(api) {
        let limits = json!({"policies": {"player": {"quota": 10, "window_s": 1, "burst": 10}}, "addresses": {"deny": ["192.0.2.0/24"]}});
        let flags = json!({"flags": {"a": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on"}}});
        for (path, first, second) in [("/flags", &flags, json!({"flags": {}})), ("/limits", &limits, json!({"policies": {}, "addresses": {}}))] {
            api.get(path).await.expect_problem(404, "document-not-found");
            api.delete(path).await.expect_problem(404, "document-not-found");
            let conditional = |verb: &str, header: &str, tag: &str, body: &Value| {
                api.request(verb, path).header(header, tag).json(body).send()
            };
            let created = conditional("PUT", "if-none-match", "*", first).await;
            assert_eq!(created.expect_status(201), *first);
            let tag = created.header("etag").to_owned();
            assert_eq!(api.put(path, first).await.header("etag"), tag, "an equal document keeps its tag");
            conditional("PUT", "if-none-match", "*", first).await.expect_problem(412, "precondition-failed");
            conditional("PUT", "if-match", "\"7\"", first).await.expect_problem(412, "precondition-failed");
            let replaced = conditional("PUT", "if-match", &tag, &second).await;
            assert_eq!(replaced.status, 200);
            assert_ne!(replaced.header("etag"), tag);
            let delete = |tag: &str| api.request("DELETE", path).header("if-match", tag).send();
            delete(&tag).await.expect_problem(412, "precondition-failed");
            let read = api.get(path).await;
            assert_eq!(read.expect_status(200), second);
            let unchanged = api.request("GET", path).header("if-none-match", read.header("etag")).send().await;
            assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
            delete(read.header("etag")).await.expect_status(204);
            api.get(path).await.expect_problem(404, "document-not-found");
        }
        for path in ["/flags", "/operator/flags", "/limits", "/operator/limits"] {
            for verb in ["GET", "PUT", "DELETE"] {
                let call = api.request(verb, path).without_header("x-api-key").json(&json!({}));
                call.send().await.expect_problem(401, "unauthenticated");
            }
        }
    }
}
