//! The commands about access: keys, tokens and their issuers.

use crate::admin::operation::OptionKind::{Instant, Integer, Many, One, Text};
use crate::admin::operation::{
    AdminOperation, AnswerFormat, BodyRule, CommandOption, DOCUMENTS, Noun, options,
};

/// The scopes that a key or a token may have.
const SCOPES: &[&str] = &["scores:read", "scores:write", "admin"];

const KEY: &str = "/keys/{key}";
const KEY_FIELDS: &[CommandOption] = options! {
    "name" => "name": Text, "The title of the key, for people";
    "scopes" => "scopes": Many(SCOPES), "The scopes of the key";
    "expires-at" => "expires_at": Instant, "When the key expires [default: never]";
    "allowed-addresses" => "allowed_addresses": Many(&[]), "The client addresses that may use the key, as ranges (CIDR) [default: all]";
};
const ROTATION_FIELDS: &[CommandOption] = options! {
    "overlap-s" => "overlap_s": Integer, "How long the replaced secret stays valid, in seconds [default: 3600]";
};
pub(super) const KEYS: Noun = Noun {
    name: "keys",
    about: "API keys",
    operations: &[
        AdminOperation::get("list", "/keys", "List the API keys, without their secrets")
            .paged(DOCUMENTS)
            .view(AnswerFormat::Rows(
                "keys",
                "id name scopes allowed_addresses created_at expires_at revoked_at",
            )),
        AdminOperation::get("get", KEY, "Show a key, without its secret").conditional(),
        AdminOperation::post(
            "create",
            "/keys",
            "Create a key; only this command shows its secret",
            BodyRule::Required(KEY_FIELDS),
        )
        .creates()
        .view(AnswerFormat::Secret("key")),
        AdminOperation::post(
            "rotate",
            "/keys/{key}/rotate",
            "Give a key a new secret; only this command shows it",
            BodyRule::Optional(ROTATION_FIELDS),
        )
        .creates()
        .conditional()
        .view(AnswerFormat::Secret("key")),
        AdminOperation::delete("revoke", KEY, "Revoke a key", "revoked").conditional(),
    ],
};

pub(super) const TOKENS: Noun = Noun {
    name: "tokens",
    about: "Tokens of players",
    operations: &[AdminOperation::post(
        "create",
        "/tokens",
        "Issue a token for a player; only this command shows it",
        BodyRule::Required(options! {
            "player" => "player": Text, "The player of the token";
            "scopes" => "scopes": Many(SCOPES), "The scopes of the token; admin is not allowed";
            "lifetime-s" => "lifetime_s": Integer, "The lifetime of the token, in seconds [default: 3600]";
        }),
    )
    .view(AnswerFormat::Secret("token"))],
};

const ISSUER: &str = "/issuers/{issuer}";
const ISSUER_FIELDS: &[CommandOption] = options! {
    "issuer" => "issuer": Text, "The value of the claim iss in the tokens of the issuer";
    "audiences" => "audiences": Many(&[]), "The accepted audiences (the claim aud)";
    "granted-scopes" => "granted_scopes": Many(SCOPES), "The scopes that tokens of the issuer can have at most";
    "default-scopes" => "default_scopes": Many(SCOPES), "The scopes of a token that lists no scopes";
    "jwks-uri" => "jwks_uri": Text, "The address of the key set (JWKS) of the issuer";
    "discovery" => "discovery": One(&["true", "false"]), "Whether the service finds the key set by OpenID Connect Discovery";
    "leeway-s" => "leeway_s": Integer, "How far the clock of the issuer may differ from the server's, in seconds [default: 60]";
};
pub(super) const ISSUERS: Noun = Noun {
    name: "issuers",
    about: "Issuers whose tokens the service accepts",
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
        AdminOperation::put(
            ISSUER,
            "Create or replace an issuer",
            BodyRule::Required(ISSUER_FIELDS),
        )
        .for_operator()
        .conditional(),
        AdminOperation::delete(
            "delete",
            ISSUER,
            "Remove an issuer; its tokens are no longer accepted",
            "deleted",
        )
        .for_operator()
        .conditional(),
    ],
};
