//! The commands about access: keys, tokens and their issuers.

use crate::admin::operation::OptionKind::{Instant, Integer, Many, One, Text};
use crate::admin::operation::{
    AdminOperation, AnswerFormat, BodyRule, CommandOption, DOCUMENTS, Noun, options,
};

/// The scopes that a key or a token may have.
const SCOPES: &[&str] = &["scores:read", "scores:write", "admin"];

const KEY: &str = "/keys/{key}";
const KEY_FIELDS: &[CommandOption] = options! {
    "name" => "name": Text, "The name for people";
    "scopes" => "scopes": Many(SCOPES), "What it allows";
    "expires-at" => "expires_at": Instant, "When it ends";
    "allowed-addresses" => "allowed_addresses": Many(&[]), "The only addresses it is good from, as ranges";
};
const ROTATION_FIELDS: &[CommandOption] = options! {
    "overlap-s" => "overlap_s": Integer, "How long the old secret stays good, in seconds [default: 3600]";
};
pub(super) const KEYS: Noun = Noun {
    name: "keys",
    about: "API keys",
    operations: &[
        AdminOperation::get("list", "/keys", "List the keys, without their secrets")
            .paged(DOCUMENTS)
            .view(AnswerFormat::Rows(
                "keys",
                "id name scopes allowed_addresses created_at expires_at revoked_at",
            )),
        AdminOperation::get("get", KEY, "Show a key, without its secret").conditional(),
        AdminOperation::post(
            "create",
            "/keys",
            "Make a key; its secret is shown now and never again",
            BodyRule::Required(KEY_FIELDS),
        )
        .creates()
        .view(AnswerFormat::Secret("key")),
        AdminOperation::post(
            "rotate",
            "/keys/{key}/rotate",
            "Give a key a new secret; it is shown now and never again",
            BodyRule::Optional(ROTATION_FIELDS),
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
        BodyRule::Required(options! {
            "player" => "player": Text, "Whose it is";
            "scopes" => "scopes": Many(SCOPES), "What it allows; never admin";
            "lifetime-s" => "lifetime_s": Integer, "How long it is good, in seconds";
        }),
    )
    .view(AnswerFormat::Secret("token"))],
};

const ISSUER: &str = "/issuers/{issuer}";
const ISSUER_FIELDS: &[CommandOption] = options! {
    "issuer" => "issuer": Text, "As the claim iss has it";
    "audiences" => "audiences": Many(&[]), "The audiences that are accepted";
    "granted-scopes" => "granted_scopes": Many(SCOPES), "The most that its tokens allow";
    "default-scopes" => "default_scopes": Many(SCOPES), "The scopes of a token that has none";
    "jwks-uri" => "jwks_uri": Text, "Where its keys are";
    "discovery" => "discovery": One(&["true", "false"]), "Whether it tells itself where its keys are (OpenID Connect Discovery)";
    "leeway-s" => "leeway_s": Integer, "How far clocks may differ, in seconds";
};
pub(super) const ISSUERS: Noun = Noun {
    name: "issuers",
    about: "Issuers of tokens that are trusted",
    operations: &[
        AdminOperation::get("list", "/issuers", "List the issuers")
            .for_operator()
            .paged(DOCUMENTS)
            .view(AnswerFormat::Rows(
                "issuers",
                "id issuer audiences granted_scopes discovery jwks_uri",
            )),
        AdminOperation::get("get", ISSUER, "Show an issuer")
            .for_operator()
            .conditional(),
        AdminOperation::put(ISSUER, "Trust an issuer", BodyRule::Required(ISSUER_FIELDS))
            .for_operator()
            .conditional(),
        AdminOperation::delete("delete", ISSUER, "Trust an issuer no longer", "deleted")
            .for_operator()
            .conditional(),
    ],
};
