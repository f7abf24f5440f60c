//! The verification of tokens.

use jwt_compact::Claims;
use leaderboard_core::access::Scopes;
use leaderboard_core::{Invalid, PlayerId, TenantId, Timestamp};

use super::claims::{ClaimMap, ClaimsMapping, MAX_CLAIM_NAME_BYTES};
use super::key_binding::KeyBinding;
use super::{KeySet, MAX_URL_BYTES, PresentedToken, TokenProblem};

/// The default tolerance for clocks that differ, in seconds.
pub const DEFAULT_LEEWAY_S: u32 = 60;
/// The largest tolerance for clocks that differ, in seconds.
pub const MAX_LEEWAY_S: u32 = 300;
/// The most accepted audiences (values of `aud`) of one issuer.
pub const MAX_AUDIENCES: usize = 16;
/// The longest `jti`, in bytes.
pub const MAX_TOKEN_ID_BYTES: usize = 256;
/// The longest accepted `sub`, in bytes. OpenID Connect lets issuers use up to 255.
pub const MAX_SUBJECT_BYTES: usize = 256;

/// The allowed values of the header `typ` (RFC 8725, section 3.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenType {
    /// No value, `JWT`, or `at+jwt` (RFC 9068).
    Access,
    /// Only this value, for tokens that only this service issues.
    Only(&'static str),
}

impl TokenType {
    fn accepts(self, found: Option<&str>) -> bool {
        // Media types ignore case, and may omit `application/` (RFC 7515, section 4.1.9).
        let found = found.map(str::to_ascii_lowercase);
        let found = found.as_deref();
        let found = found.map(|name| name.strip_prefix("application/").unwrap_or(name));
        match self {
            Self::Access => matches!(found, None | Some("jwt" | "at+jwt")),
            Self::Only(own) => found == Some(own),
        }
    }
}

/// The rules for the tokens of one issuer.
#[derive(Debug, Clone)]
pub struct Verifier {
    issuer: Box<str>,
    audiences: Vec<Box<str>>,
    leeway_ms: i64,
    token_type: TokenType,
    mapping: ClaimsMapping,
}

/// The content of a valid token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedToken {
    /// The tenant of the token.
    pub tenant: TenantId,
    /// The claim `sub`, unchanged.
    pub subject: Option<String>,
    /// The player of the token; `None` for a server's token.
    pub player: Option<PlayerId>,
    /// The scopes of the token.
    pub scopes: Scopes,
    /// The claim `jti`.
    pub token_id: Option<String>,
    /// The claim `iat`.
    pub issued_at: Option<Timestamp>,
    /// The claim `exp`, without leeway.
    pub expires_at: Timestamp,
    /// The API key that issued the token, if this service signed it.
    pub binding: Option<KeyBinding>,
}

impl Verifier {
    /// Creates the rules for tokens of `issuer` to one of `audiences`.
    ///
    /// # Errors
    /// The first fault that [`Verifier::find_faults`] returns.
    pub fn new(
        issuer: &str,
        audiences: &[String],
        leeway_s: u32,
        token_type: TokenType,
        mapping: ClaimsMapping,
    ) -> Result<Self, Invalid> {
        if let Some(fault) = Self::find_faults(issuer, audiences, leeway_s, &mapping)
            .into_iter()
            .next()
        {
            return Err(fault);
        }
        Ok(Self {
            issuer: issuer.into(),
            audiences: audiences.iter().map(|name| name.as_str().into()).collect(),
            leeway_ms: i64::from(leeway_s) * 1000,
            token_type,
            mapping,
        })
    }

    /// Returns every broken rule: a name that is empty or too long, no audience or too many, a leeway above [`MAX_LEEWAY_S`]. The
    /// pointer of a fault names the field.
    #[must_use]
    pub fn find_faults(
        issuer: &str,
        audiences: &[String],
        leeway_s: u32,
        mapping: &ClaimsMapping,
    ) -> Vec<Invalid> {
        let mut faults = Vec::new();
        let fits = |text: &str, max: usize| !text.is_empty() && text.len() <= max;
        if !fits(issuer, MAX_URL_BYTES) {
            let detail = format!("must be 1 to {MAX_URL_BYTES} bytes");
            faults.push(Invalid::new("/issuer", detail));
        }
        let count_fits = (1..=MAX_AUDIENCES).contains(&audiences.len());
        if !count_fits || !audiences.iter().all(|name| fits(name, MAX_URL_BYTES)) {
            let detail = format!("must be 1 to {MAX_AUDIENCES} names of 1 to {MAX_URL_BYTES} bytes");
            faults.push(Invalid::new("/audiences", detail));
        }
        if leeway_s > MAX_LEEWAY_S {
            let detail = format!("must be at most {MAX_LEEWAY_S}");
            faults.push(Invalid::new("/leeway_s", detail));
        }
        // Errors show the name of a claim, also in a quoted string of a header.
        let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
        let is_name = |name: &str| fits(name, MAX_CLAIM_NAME_BYTES) && name.bytes().all(plain);
        if !mapping.names().all(is_name) {
            let detail = "must be 1 to 128 visible ASCII characters without quotes and backslashes";
            faults.push(Invalid::new("/claims", detail));
        }
        faults
    }

    /// Returns the issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Verifies a token with the issuer's keys, and returns its content.
    ///
    /// # Errors
    /// The first [`TokenProblem`]; [`TokenProblem::UnknownKey`] if other keys may help.
    pub fn verify(
        &self,
        token: &PresentedToken<'_>,
        keys: &KeySet,
        now: Timestamp,
    ) -> Result<VerifiedToken, TokenProblem> {
        if !self
            .token_type
            .accepts(token.parts.header().token_type.as_deref())
        {
            return Err(TokenProblem::WrongType);
        }
        let mut outcome = Err(TokenProblem::BadSignature);
        for key in keys.candidates(token)? {
            outcome = key.check::<ClaimMap>(token);
            if !matches!(outcome, Err(TokenProblem::BadSignature)) {
                break;
            }
        }
        self.accept(&outcome?, now)
    }

    /// Parses and verifies a token; see [`PresentedToken::parse`] and [`Verifier::verify`].
    ///
    /// # Errors
    /// The first [`TokenProblem`].
    pub fn verify_text(
        &self,
        token: &str,
        keys: &KeySet,
        now: Timestamp,
    ) -> Result<VerifiedToken, TokenProblem> {
        self.verify(&PresentedToken::parse(token)?, keys, now)
    }

    /// Checks the claims of a token with a good signature.
    fn accept(&self, signed: &Claims<ClaimMap>, now: Timestamp) -> Result<VerifiedToken, TokenProblem> {
        let claims = &signed.custom;
        let early = now.saturating_add_ms(self.leeway_ms).as_unix_ms();
        let late = now.saturating_add_ms(-self.leeway_ms).as_unix_ms();
        let expires_at = signed
            .expiration
            .ok_or_else(|| TokenProblem::MissingClaim("exp".into()))?;
        if late >= expires_at.timestamp_millis() {
            return Err(TokenProblem::Expired);
        }
        if signed
            .not_before
            .is_some_and(|from| early < from.timestamp_millis())
        {
            return Err(TokenProblem::NotYetValid);
        }
        if signed.issued_at.is_some_and(|at| early < at.timestamp_millis()) {
            return Err(TokenProblem::IssuedInFuture);
        }
        if claims.text("iss")? != Some(&self.issuer) {
            return Err(TokenProblem::WrongIssuer);
        }
        if !claims.is_for(&self.audiences) {
            return Err(TokenProblem::WrongAudience);
        }
        let token_id = bounded(claims, "jti", MAX_TOKEN_ID_BYTES)?;
        let subject = bounded(claims, "sub", MAX_SUBJECT_BYTES)?;
        Ok(VerifiedToken {
            tenant: self.mapping.tenant(claims)?,
            subject,
            player: self.mapping.player(claims)?,
            scopes: self.mapping.scopes(claims)?,
            token_id,
            binding: KeyBinding::read(claims, self.mapping.bound_to_keys)?,
            issued_at: signed
                .issued_at
                .map(|at| Timestamp::saturating_from_unix_ms(at.timestamp_millis())),
            expires_at: Timestamp::saturating_from_unix_ms(expires_at.timestamp_millis()),
        })
    }
}

/// Returns a claim that must be text of at most `max_bytes` bytes.
fn bounded(claims: &ClaimMap, name: &str, max_bytes: usize) -> Result<Option<String>, TokenProblem> {
    match claims.text(name)? {
        Some(text) if text.len() > max_bytes => Err(TokenProblem::InvalidClaim(name.into())),
        text => Ok(text.map(str::to_owned)),
    }
}
