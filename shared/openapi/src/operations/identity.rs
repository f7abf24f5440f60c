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
    DescribedResponse::new(200, "It was replaced.", BODY)
        .with(TAGGED)
        .like(&["issuer-replaced"]),
    DescribedResponse::new(201, "It was created.", BODY)
        .with(&["ETag", "Location"])
        .like(&["issuer-created"]),
];
const GONE: &[DescribedResponse] = &[DescribedResponse::done("It is gone, and its tokens with it.")];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("POST", "/keys", "createKey", "Create an API key")
        .about("The key itself is shown this once. A retry with the same `Idempotency-Key` makes no second key: it is answered with 409 `already-done`, which names the key, for as long as the key is there.")
        .takes(&["idempotencyKey"])
        .reads("KeyWritten")
        .gives(&[DescribedResponse::new(201, "The key.", Shape::Json("Key"))
            .with(&["ETag", "Location"])
            .like(&["key-created"])])
        .refuses(&[409]),
    Operation::new("GET", "/keys", "listKeys", "List the API keys")
        .about("Revoked keys are included. Secrets are left out. The list is in the order of the ids. A walk by `cursor` returns each item that stays in the list exactly once. Each page shows the state at the time when the page is read. An item that is created behind the cursor is not returned.")
        .takes(PAGE)
        .gives(&[DescribedResponse::new(
            200,
            "A page of keys.",
            Shape::Json("Keys"),
        )
        .like(&["keys-listed"])]),
    Operation::new("GET", KEY, "readKey", "Read an API key")
        .about("Without its secret.")
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
    .about("The secret before stays good for a while, and those before it for as long as they were promised. A retry with the same `Idempotency-Key` within 24 hours changes nothing: it is answered with 409 `already-done`.")
    .takes(&["idempotencyKey", "ifMatch", "ifNoneMatch"])
    .reads("KeyRotation")
    .gives(&[DescribedResponse::new(200, "The key, with its new secret.", Shape::Json("Key"))
        .with(TAGGED)
        .like(&["key-rotated"])])
    .refuses(&[409, 412]),
    Operation::new("DELETE", KEY, "revokeKey", "Revoke an API key")
        .takes(CONDITIONS)
        .gives(&[DescribedResponse::done("It is good no longer, everywhere within 5 seconds.")])
        .refuses(&[409, 412]),
    Operation::new(
        "GET",
        "/issuers",
        "listIssuers",
        "List the tenant's issuers of tokens",
    )
    .about("The list is in the order of the ids. A walk by `cursor` returns each item that stays in the list exactly once. Each page shows the state at the time when the page is read. An item that is created behind the cursor is not returned.")
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
        "List the operator's issuers of tokens",
    )
    .about("The list is in the order of the ids. A walk by `cursor` returns each item that stays in the list exactly once. Each page shows the state at the time when the page is read. An item that is created behind the cursor is not returned.")
    .takes(PAGE)
    .gives(LIST),
    Operation::new(
        "GET",
        OPERATOR_ISSUER,
        "readOperatorIssuer",
        "Read an issuer of the operator's",
    )
    .takes(CONDITIONS)
    .gives(READ)
    .refuses(&[412]),
    Operation::new(
        "PUT",
        OPERATOR_ISSUER,
        "putOperatorIssuer",
        "Create or replace an issuer of the operator's",
    )
    .takes(CONDITIONS)
    .reads("IssuerWritten")
    .gives(PUT)
    .refuses(&[409, 412]),
    Operation::new(
        "DELETE",
        OPERATOR_ISSUER,
        "deleteOperatorIssuer",
        "Remove an issuer of the operator's",
    )
    .takes(CONDITIONS)
    .gives(GONE)
    .refuses(&[409, 412]),
    Operation::new("POST", "/tokens", "issueToken", "Issue a token to a player")
        .about("For servers, which hand it on to the player's client. 409 where the operator has set no `player_token_secret`.")
        .reads("TokenWritten")
        .gives(&[DescribedResponse::new(201, "The token.", Shape::Json("Token")).like(&["token-issued"])])
        .refuses(&[409]),
];
