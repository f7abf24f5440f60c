//! The operations about keys, issuers and tokens.

use crate::operation::{DescribedResponse, Name, Operation, Shape};

const KEY: &str = "/keys/:key";
const BODY: Shape = Shape::Json("Issuer");
const TAGGED: &[&str] = &["ETag"];
const LIST: &[DescribedResponse] =
    &[DescribedResponse::new(200, "A page of issuers.", Shape::Json("Issuers")).like(&["issuers-listed"])];
const READ: &[DescribedResponse] = &[
    DescribedResponse::new(200, "The issuer.", BODY)
        .with(TAGGED)
        .like(&["issuer-read"]),
    DescribedResponse::unchanged(),
];
const PUT: &[DescribedResponse] = &[
    DescribedResponse::new(200, "The issuer was replaced.", BODY)
        .with(TAGGED)
        .like(&["issuer-replaced"]),
    DescribedResponse::new(201, "The issuer was created.", BODY)
        .with(&["ETag", "Location"])
        .like(&["issuer-created"]),
];
const GONE: &[DescribedResponse] = &[DescribedResponse::done(
    "The issuer is removed. The service does not accept its tokens any more.",
)];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("POST", "/keys", "createKey", "Create an API key")
        .about("Only this response shows the key itself. A retry with the same `Idempotency-Key` creates no second key: as long as the key exists, the response is the problem `already-done` (409), which names the key.")
        .takes(&["idempotencyKey"])
        .reads("KeyWritten")
        .gives(&[DescribedResponse::new(201, "The key.", Shape::Json("Key"))
            .with(&["ETag", "Location"])
            .like(&["key-created"])])
        .refuses(&[409]),
    Operation::new("GET", "/keys", "listKeys", "List the API keys")
        .about("Revoked keys are included; secrets are not.")
        .lists_by_id()
        .gives(&[DescribedResponse::new(
            200,
            "A page of keys.",
            Shape::Json("Keys"),
        )
        .like(&["keys-listed"])]),
    Operation::new("GET", KEY, "readKey", "Read an API key")
        .about("The response does not have the secret of the key.")
        .checks_version()
        .gives(&[
            DescribedResponse::new(200, "The key.", Shape::Json("Key"))
                .with(TAGGED)
                .like(&["key-read"]),
            DescribedResponse::unchanged(),
        ]),
    Operation::new(
        "POST",
        "/keys/:key/rotate",
        "rotateKey",
        "Give an API key a new secret",
    )
    .about("Only this response shows the new secret. The replaced secret stays valid for `overlap_s` seconds; secrets that were replaced earlier keep their own end. A retry with the same `Idempotency-Key` within 24 hours changes nothing: the response is the problem `already-done` (409).")
    .takes(&["idempotencyKey", "ifMatch", "ifNoneMatch"])
    .reads("KeyRotation")
    .gives(&[DescribedResponse::new(200, "The key with its new secret.", Shape::Json("Key"))
        .with(TAGGED)
        .like(&["key-rotated"])])
    .refuses(&[409, 412]),
    Operation::new("DELETE", KEY, "revokeKey", "Revoke an API key")
        .checks_version()
        .gives(&[DescribedResponse::done("The key is revoked. All regions refuse it within 5 seconds.")])
        .refuses(&[409, 412]),
    Operation::new("POST", "/tokens", "issueToken", "Issue a token for a player")
        .about("A server requests the token and gives it to the client of the player. The response is 409 if the operator has not set the variable `player_token_secret`.")
        .reads("TokenWritten")
        .gives(&[DescribedResponse::new(201, "The token.", Shape::Json("Token")).like(&["token-issued"])])
        .refuses(&[409]),
];

/// The operations on the tenant's issuers and on the operator's.
pub(super) const ISSUERS: [[Operation; 4]; 2] = [
    issuers(
        ["/issuers", "/issuers/:issuer"],
        [
            ("listIssuers", "List the issuers whose tokens the tenant accepts"),
            ("readIssuer", "Read an issuer"),
            ("putIssuer", "Create or replace an issuer"),
            ("deleteIssuer", "Remove an issuer"),
        ],
    ),
    issuers(
        ["/operator/issuers", "/operator/issuers/:issuer"],
        [
            ("listOperatorIssuers", "List the issuers of the operator"),
            ("readOperatorIssuer", "Read an issuer of the operator"),
            ("putOperatorIssuer", "Create or replace an issuer of the operator"),
            ("deleteOperatorIssuer", "Remove an issuer of the operator"),
        ],
    ),
];

/// Returns the operations on issuers. `patterns` are those of the list and of one issuer, `names` the operations' ids and summaries.
const fn issuers(patterns: [&'static str; 2], names: [Name; 4]) -> [Operation; 4] {
    let [all, one] = patterns;
    let [list, read, put, delete] = names;
    [
        Operation::new("GET", all, list.0, list.1)
            .lists_by_id()
            .gives(LIST),
        Operation::new("GET", one, read.0, read.1)
            .checks_version()
            .gives(READ),
        Operation::new("PUT", one, put.0, put.1)
            .checks_version()
            .reads("IssuerWritten")
            .gives(PUT)
            .refuses(&[409, 412]),
        Operation::new("DELETE", one, delete.0, delete.1)
            .checks_version()
            .gives(GONE)
            .refuses(&[409, 412]),
    ]
}
