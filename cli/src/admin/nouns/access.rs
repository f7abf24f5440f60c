//! Who may call: keys, tokens and their issuers.

use crate::admin::operation::{
    AdminOperation, AnswerFormat, BodyRule, CommandOption, DOCUMENTS, Noun, OptionKind,
};

/// What a key or a token may allow.
const SCOPES: &[&str] = &["scores:read", "scores:write", "admin"];

const KEY: &str = "/keys/{key}";
pub(super) const KEYS: Noun = Noun {
    name: "keys",
    about: "API keys",
    operations: &[
        AdminOperation::get("list", "/keys", "List the keys, without their secrets")
            .paged(DOCUMENTS)
            .view(AnswerFormat::Rows(
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
        AdminOperation::get("get", KEY, "Show a key, without its secret").conditional(),
        AdminOperation::post(
            "create",
            "/keys",
            "Make a key; its secret is shown now and never again",
            BodyRule::Required(&[
                CommandOption::new("name", "name", OptionKind::Text, "The name for people"),
                CommandOption::new("scopes", "scopes", OptionKind::Many(SCOPES), "What it allows"),
                CommandOption::new("expires-at", "expires_at", OptionKind::Instant, "When it ends"),
                CommandOption::new(
                    "allowed-addresses",
                    "allowed_addresses",
                    OptionKind::Many(&[]),
                    "The only addresses it is good from, as ranges",
                ),
            ]),
        )
        .creates()
        .view(AnswerFormat::Secret("key")),
        AdminOperation::post(
            "rotate",
            "/keys/{key}/rotate",
            "Give a key a new secret; it is shown now and never again",
            BodyRule::Optional(&[CommandOption::new(
                "overlap-s",
                "overlap_s",
                OptionKind::Integer,
                "How long the old secret stays good, in seconds [default: 3600]",
            )]),
        )
        .creates()
        .conditional()
        .view(AnswerFormat::Secret("key")),
        AdminOperation::delete("revoke", KEY, "Revoke a key at once", "revoked").conditional(),
    ],
};

pub(super) const TOKENS: Noun = Noun {
    name: "tokens",
    about: "Players' tokens",
    operations: &[AdminOperation::post(
        "create",
        "/tokens",
        "Issue a token for a player; it is shown now and never again",
        BodyRule::Required(&[
            CommandOption::new("player", "player", OptionKind::Text, "Whose it is"),
            CommandOption::new(
                "scopes",
                "scopes",
                OptionKind::Many(SCOPES),
                "What it allows; never admin",
            ),
            CommandOption::new(
                "lifetime-s",
                "lifetime_s",
                OptionKind::Integer,
                "How long it is good, in seconds",
            ),
        ]),
    )
    .view(AnswerFormat::Secret("token"))],
};

const ISSUER: &str = "/issuers/{issuer}";
pub(super) const ISSUERS: Noun = Noun {
    name: "issuers",
    about: "Issuers of tokens that are trusted",
    operations: &[
        AdminOperation::get("list", "/issuers", "List the issuers")
            .for_operator()
            .paged(DOCUMENTS)
            .view(AnswerFormat::Rows(
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
        AdminOperation::get("get", ISSUER, "Show an issuer")
            .for_operator()
            .conditional(),
        AdminOperation::put(
            ISSUER,
            "Trust an issuer",
            BodyRule::Required(&[
                CommandOption::new("issuer", "issuer", OptionKind::Text, "As the claim iss has it"),
                CommandOption::new(
                    "audiences",
                    "audiences",
                    OptionKind::Many(&[]),
                    "The audiences that are accepted",
                ),
                CommandOption::new(
                    "granted-scopes",
                    "granted_scopes",
                    OptionKind::Many(SCOPES),
                    "The most that its tokens allow",
                ),
                CommandOption::new(
                    "default-scopes",
                    "default_scopes",
                    OptionKind::Many(SCOPES),
                    "The scopes of a token that has none",
                ),
                CommandOption::new("jwks-uri", "jwks_uri", OptionKind::Text, "Where its keys are"),
                CommandOption::new(
                    "discovery",
                    "discovery",
                    OptionKind::One(&["true", "false"]),
                    "Whether it tells itself where its keys are (OpenID Connect Discovery)",
                ),
                CommandOption::new(
                    "leeway-s",
                    "leeway_s",
                    OptionKind::Integer,
                    "How far clocks may differ, in seconds",
                ),
            ]),
        )
        .for_operator()
        .conditional(),
        AdminOperation::delete("delete", ISSUER, "Trust an issuer no longer", "deleted")
            .for_operator()
            .conditional(),
    ],
};
