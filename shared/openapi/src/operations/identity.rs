//! The operations about keys, issuers and tokens.

use crate::operation::{DescribedResponse, Operation, Shape};

const KEY: &str = "/keys/:key";
const ISSUER: &str = "/issuers/:issuer";
const OPERATOR_ISSUER: &str = "/operator/issuers/:issuer";
const BODY: Shape = Shape::Json("Issuer");
const TAGGED: &[&str] = &["ETag"];
const CONDITIONS: &[&str] = &["ifMatch", "ifNoneMatch"];
const PAGE: &[&str] = &["limitOfDocuments", "cursor"];
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
        .about("Revoked keys are included; secrets are not. The list is in the order of the ids. A client that follows the cursors gets each item that stays in the list exactly once. Each page shows the state at the time when it is read; an item that is created on a part of the list that was already read is not returned.")
        .takes(PAGE)
        .gives(&[DescribedResponse::new(
            200,
            "A page of keys.",
            Shape::Json("Keys"),
        )
        .like(&["keys-listed"])]),
    Operation::new("GET", KEY, "readKey", "Read an API key")
        .about("The response does not have the secret of the key.")
        .takes(CONDITIONS)
        .gives(&[
            DescribedResponse::new(200, "The key.", Shape::Json("Key"))
                .with(TAGGED)
                .like(&["key-read"]),
            DescribedResponse::unchanged(),
        ])
        .refuses(&[412]),
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
        .takes(CONDITIONS)
        .gives(&[DescribedResponse::done("The key is revoked. All regions refuse it within 5 seconds.")])
        .refuses(&[409, 412]),
    Operation::new(
        "GET",
        "/issuers",
        "listIssuers",
        "List the issuers whose tokens the tenant accepts",
    )
    .about("The list is in the order of the ids. A client that follows the cursors gets each item that stays in the list exactly once. Each page shows the state at the time when it is read; an item that is created on a part of the list that was already read is not returned.")
    .takes(PAGE)
    .gives(LIST),
    Operation::new("GET", ISSUER, "readIssuer", "Read an issuer")
        .takes(CONDITIONS)
        .gives(READ)
        .refuses(&[412]),
    Operation::new("PUT", ISSUER, "putIssuer", "Create or replace an issuer")
        .takes(CONDITIONS)
        .reads("IssuerWritten")
        .gives(PUT)
        .refuses(&[409, 412]),
    Operation::new("DELETE", ISSUER, "deleteIssuer", "Remove an issuer")
        .takes(CONDITIONS)
        .gives(GONE)
        .refuses(&[409, 412]),
    Operation::new(
        "GET",
        "/operator/issuers",
        "listOperatorIssuers",
        "List the issuers of the operator",
    )
    .about("The list is in the order of the ids. A client that follows the cursors gets each item that stays in the list exactly once. Each page shows the state at the time when it is read; an item that is created on a part of the list that was already read is not returned.")
    .takes(PAGE)
    .gives(LIST),
    Operation::new(
        "GET",
        OPERATOR_ISSUER,
        "readOperatorIssuer",
        "Read an issuer of the operator",
    )
    .takes(CONDITIONS)
    .gives(READ)
    .refuses(&[412]),
    Operation::new(
        "PUT",
        OPERATOR_ISSUER,
        "putOperatorIssuer",
        "Create or replace an issuer of the operator",
    )
    .takes(CONDITIONS)
    .reads("IssuerWritten")
    .gives(PUT)
    .refuses(&[409, 412]),
    Operation::new(
        "DELETE",
        OPERATOR_ISSUER,
        "deleteOperatorIssuer",
        "Remove an issuer of the operator",
    )
    .takes(CONDITIONS)
    .gives(GONE)
    .refuses(&[409, 412]),
    Operation::new("POST", "/tokens", "issueToken", "Issue a token for a player")
        .about("A server requests the token and gives it to the client of the player. The response is 409 if the operator has not set the variable `player_token_secret`.")
        .reads("TokenWritten")
        .gives(&[DescribedResponse::new(201, "The token.", Shape::Json("Token")).like(&["token-issued"])])
        .refuses(&[409]),
];
