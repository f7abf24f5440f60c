//! Who may call: keys, tokens and their issuers.

use crate::admin::operation::{Body, DOCUMENTS, Field, Kind, Noun, Operation, View};

/// What a key or a token may allow.
const SCOPES: &[&str] = &["scores:read", "scores:write", "admin"];

const KEY: &str = "/keys/{key}";
pub(super) const KEYS: Noun = Noun {
    name: "keys",
    about: "API keys",
    operations: &[
        Operation::get("list", "/keys", "List the keys, without their secrets")
            .paged(DOCUMENTS)
            .view(View::Rows(
                "keys",
                &[
                    "id",
                    "name",
                    "scopes",
                    "allowed_addresses",
                    "created_at",
                    "expires_at",
                    "revoked_at",
                ],
            )),
        Operation::get("get", KEY, "Show a key, without its secret").conditional(),
        Operation::post(
            "create",
            "/keys",
            "Make a key; its secret is shown now and never again",
            Body::Required(&[
                Field::new("name", "name", Kind::Text, "The name for people"),
                Field::new("scopes", "scopes", Kind::Many(SCOPES), "What it allows"),
                Field::new("expires-at", "expires_at", Kind::Instant, "When it ends"),
                Field::new(
                    "allowed-addresses",
                    "allowed_addresses",
                    Kind::Many(&[]),
                    "The only addresses it is good from, as ranges",
                ),
            ]),
        )
        .creates()
        .view(View::Secret("key")),
        Operation::post(
            "rotate",
            "/keys/{key}/rotate",
            "Give a key a new secret; it is shown now and never again",
            Body::Optional(&[Field::new(
                "overlap-s",
                "overlap_s",
                Kind::Integer,
                "How long the old secret stays good, in seconds [default: 3600]",
            )]),
        )
        .creates()
        .conditional()
        .view(View::Secret("key")),
        Operation::delete("revoke", KEY, "Revoke a key at once", "revoked").conditional(),
    ],
};

pub(super) const TOKENS: Noun = Noun {
    name: "tokens",
    about: "Players' tokens",
    operations: &[Operation::post(
        "create",
        "/tokens",
        "Issue a token for a player; it is shown now and never again",
        Body::Required(&[
            Field::new("player", "player", Kind::Text, "Whose it is"),
            Field::new(
                "scopes",
                "scopes",
                Kind::Many(SCOPES),
                "What it allows; never admin",
            ),
            Field::new(
                "lifetime-s",
                "lifetime_s",
                Kind::Integer,
                "How long it is good, in seconds",
            ),
        ]),
    )
    .view(View::Secret("token"))],
};

const ISSUER: &str = "/issuers/{issuer}";
pub(super) const ISSUERS: Noun = Noun {
    name: "issuers",
    about: "Issuers of tokens that are trusted",
    operations: &[
        Operation::get("list", "/issuers", "List the issuers")
            .for_operator()
            .paged(DOCUMENTS)
            .view(View::Rows(
                "issuers",
                &[
                    "id",
                    "issuer",
                    "audiences",
                    "granted_scopes",
                    "discovery",
                    "jwks_uri",
                ],
            )),
        Operation::get("get", ISSUER, "Show an issuer")
            .for_operator()
            .conditional(),
        Operation::put(
            ISSUER,
            "Trust an issuer",
            Body::Required(&[
                Field::new("issuer", "issuer", Kind::Text, "As the claim iss has it"),
                Field::new(
                    "audiences",
                    "audiences",
                    Kind::Many(&[]),
                    "The audiences that are accepted",
                ),
                Field::new(
                    "granted-scopes",
                    "granted_scopes",
                    Kind::Many(SCOPES),
                    "The most that its tokens allow",
                ),
                Field::new(
                    "default-scopes",
                    "default_scopes",
                    Kind::Many(SCOPES),
                    "The scopes of a token that has none",
                ),
                Field::new("jwks-uri", "jwks_uri", Kind::Text, "Where its keys are"),
                Field::new(
                    "discovery",
                    "discovery",
                    Kind::One(&["true", "false"]),
                    "Whether it tells itself where its keys are (OpenID Connect Discovery)",
                ),
                Field::new(
                    "leeway-s",
                    "leeway_s",
                    Kind::Integer,
                    "How far clocks may differ, in seconds",
                ),
            ]),
        )
        .for_operator()
        .conditional(),
        Operation::delete("delete", ISSUER, "Trust an issuer no longer", "deleted")
            .for_operator()
            .conditional(),
    ],
};
