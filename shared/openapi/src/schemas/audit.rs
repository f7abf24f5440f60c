//! The audit log.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use leaderboard_api::schema::{Schemas, Values};

pub(super) fn add(all: &mut Schemas) {
    all.add::<AuditLog>();
    all.add::<AuditLogV2>();
}

/// The value of a field that tells the branches of a union apart. A type of its own, because code generators give a tagged
/// branch without one no name.
macro_rules! tag {
    ($(#[$doc:meta])* $name:ident, $value:ident) => {
        $(#[$doc])*
        #[derive(Debug, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            /// Always this.
            $value,
        }
    };
}

tag!(
    /// The tag of [`AuditAct`].
    AuditActType,
    Act
);

/// An administrative act is about to be done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditAct {
    /// Which event it is.
    pub r#type: AuditActType,
    /// By what credential.
    pub who: AuditWho,
    /// Of the request.
    pub method: String,
    /// The pattern of its route.
    pub route: String,
    /// Those of the path.
    #[schema(nullable = false)]
    pub parameters: Option<BTreeMap<String, String>>,
    /// The query of its address.
    #[schema(nullable = false)]
    pub query: Option<String>,
    /// The client's address.
    #[schema(required)]
    pub from: Option<String>,
    /// The trace id.
    pub trace: String,
}

tag!(
    /// The tag of [`AuditOutcome`].
    AuditOutcomeType,
    Outcome
);

/// An act was refused or failed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditOutcome {
    /// Which event it is.
    pub r#type: AuditOutcomeType,
    /// The position of the act's record.
    pub of: u64,
    /// The status of the answer.
    pub status: u16,
    /// The trace id.
    pub trace: String,
}

tag!(
    /// The tag of [`AuditBan`].
    AuditBanType,
    Ban
);

/// A player is about to be banned.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditBan {
    /// Which event it is.
    pub r#type: AuditBanType,
    /// By what credential.
    pub who: AuditWho,
    /// The player.
    pub player: String,
    /// Why.
    #[schema(required)]
    pub reason: Option<String>,
    /// When the ban ends by itself; `null` is never.
    #[schema(required)]
    pub expires_at: Option<String>,
    /// The client's address.
    #[schema(required)]
    pub from: Option<String>,
    /// The trace id.
    pub trace: String,
}

tag!(
    /// The tag of [`AuditCorrection`].
    AuditCorrectionType,
    Correction
);

/// A server is about to set an entry whatever the leaderboard's operator is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditCorrection {
    /// Which event it is.
    pub r#type: AuditCorrectionType,
    /// By what credential.
    pub who: AuditWho,
    /// Whose entry.
    pub player: String,
    /// In which leaderboard.
    pub leaderboard: String,
    /// The values it is to have.
    pub values: Values,
    /// The client's address.
    #[schema(required)]
    pub from: Option<String>,
    /// The trace id.
    pub trace: String,
}

tag!(
    /// The tag of [`AuditCorrected`].
    AuditCorrectedType,
    Corrected
);

/// A correction was made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditCorrected {
    /// Which event it is.
    pub r#type: AuditCorrectedType,
    /// The position of the correction's record.
    pub of: u64,
    /// The period of the entry.
    pub period: String,
    /// The entry's values now.
    #[schema(required)]
    pub values: Option<Values>,
    /// Its values before; `null` when there was no entry.
    #[schema(required)]
    pub previous: Option<Values>,
    /// Whether it was made before, by a submission with the same id.
    pub replayed: bool,
    /// The trace id.
    pub trace: String,
}

tag!(
    /// The tag of [`AuditIssued`].
    AuditIssuedType,
    Issued
);

/// A token was issued to a player.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditIssued {
    /// Which event it is.
    pub r#type: AuditIssuedType,
    /// By what credential.
    pub who: AuditWho,
    /// Whose it is.
    pub player: String,
    /// The client's address.
    #[schema(required)]
    pub from: Option<String>,
    /// The trace id.
    pub trace: String,
}

tag!(
    /// The tag of [`AuditRefused`].
    AuditRefusedType,
    Refused
);

/// Credentials were refused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditRefused {
    /// Which event it is.
    pub r#type: AuditRefusedType,
    /// What was presented.
    pub who: AuditWho,
    /// The status of the answer.
    pub status: u16,
    /// The type of the problem.
    pub reason: String,
    /// The client's address.
    #[schema(required)]
    pub from: Option<String>,
    /// The trace id of the first of them.
    pub trace: String,
    /// How often the same happened from the same address within a short time.
    pub count: u64,
}

/// What happened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum AuditEvent {
    /// An administrative act is about to be done.
    Act(Box<AuditAct>),
    /// An act was refused or failed.
    Outcome(Box<AuditOutcome>),
    /// A player is about to be banned.
    Ban(Box<AuditBan>),
    /// A server is about to set an entry whatever the leaderboard's operator is.
    Correction(Box<AuditCorrection>),
    /// A correction was made.
    Corrected(Box<AuditCorrected>),
    /// A token was issued to a player.
    Issued(Box<AuditIssued>),
    /// Credentials were refused.
    Refused(Box<AuditRefused>),
}

tag!(
    /// The tag of [`AuditNobody`].
    AuditNobodyCredential,
    Nobody
);

/// No credential.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditNobody {
    /// Which kind of credential it is.
    pub credential: AuditNobodyCredential,
}

tag!(
    /// The tag of [`AuditOperator`].
    AuditOperatorCredential,
    Operator
);

/// The operator's key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditOperator {
    /// Which kind of credential it is.
    pub credential: AuditOperatorCredential,
}

tag!(
    /// The tag of [`AuditKey`].
    AuditKeyCredential,
    Key
);

/// An API key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditKey {
    /// Which kind of credential it is.
    pub credential: AuditKeyCredential,
    /// Its id.
    pub id: String,
}

tag!(
    /// The tag of [`AuditToken`].
    AuditTokenCredential,
    Token
);

/// A token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditToken {
    /// Which kind of credential it is.
    pub credential: AuditTokenCredential,
    /// By whom it was issued.
    pub issuer: String,
    /// For whom.
    pub subject: String,
}

tag!(
    /// The tag of [`AuditUnknownKey`].
    AuditUnknownKeyCredential,
    UnknownKey
);

/// A key that is not valid, whatever it claims to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditUnknownKey {
    /// Which kind of credential it is.
    pub credential: AuditUnknownKeyCredential,
}

tag!(
    /// The tag of [`AuditUnknownToken`].
    AuditUnknownTokenCredential,
    UnknownToken
);

/// A token that is not valid, whatever it claims to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditUnknownToken {
    /// Which kind of credential it is.
    pub credential: AuditUnknownTokenCredential,
}

/// By what credential; never the secret.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum AuditWho {
    /// None.
    Nobody(AuditNobody),
    /// The operator's key.
    Operator(AuditOperator),
    /// An API key.
    Key(AuditKey),
    /// A token.
    Token(AuditToken),
    /// A key that is not valid.
    UnknownKey(AuditUnknownKey),
    /// A token that is not valid.
    UnknownToken(AuditUnknownToken),
}

/// A record of the audit log.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditRecord {
    /// Its place in the log.
    pub position: u64,
    /// When it was made.
    #[schema(format = "date-time")]
    pub at: String,
    /// Who did what, and from where.
    pub event: AuditEvent,
}

/// A page of the log, newest first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditLog {
    /// Newest first.
    pub records: Vec<AuditRecord>,
    /// What `before` of the next page is.
    #[schema(required)]
    pub next: Option<u64>,
}

/// A page of the log, newest first.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditLogV2 {
    /// Newest first.
    pub data: Vec<AuditRecord>,
    /// Where the log goes on.
    pub page: AuditPageV2,
}

/// Where a log goes on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditPageV2 {
    /// What `before` of the next page is.
    #[schema(required)]
    pub next: Option<u64>,
    /// `null`: a log is read from its newest record.
    #[schema(required)]
    pub previous: Option<u64>,
    /// `null`: records do not change.
    #[schema(required, value_type = Option<Object>)]
    pub snapshot: Option<Map<String, Value>>,
}
