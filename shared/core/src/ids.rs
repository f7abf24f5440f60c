//! Ids of tenants, leaderboards, players and submissions, and names of regions. The constructors check them.

use crate::Invalid;

/// The longest tenant or leaderboard id, in bytes.
pub const MAX_SLUG_BYTES: usize = 64;
/// The longest player id, in bytes of UTF-8.
pub const MAX_PLAYER_BYTES: usize = 128;
/// The longest submission id, in bytes of UTF-8.
pub const MAX_SUBMISSION_ID_BYTES: usize = 128;

fn check_slug(text: &str) -> Result<(), Invalid> {
    let mut bytes = text.bytes();
    let head_ok = bytes
        .next()
        .is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let tail_ok =
        bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'));
    if head_ok && tail_ok && text.len() <= MAX_SLUG_BYTES {
        Ok(())
    } else {
        Err(Invalid::new("", "must match [a-z0-9][a-z0-9._-]{0,63}"))
    }
}

fn check_text(text: &str, max_bytes: usize) -> Result<(), Invalid> {
    if text.is_empty() {
        return Err(Invalid::new("", "must not be empty"));
    }
    if text.len() > max_bytes {
        return Err(Invalid::new(
            "",
            format!("must be at most {max_bytes} bytes of UTF-8"),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(Invalid::new("", "must not contain control characters"));
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Checks the text and keeps it unchanged.
            ///
            /// # Errors
            /// [`Invalid`] with an empty pointer and the rule that the text breaks.
            pub fn new(text: impl Into<Box<str>>) -> Result<Self, Invalid> {
                let text = text.into();
                let check: fn(&str) -> Result<(), Invalid> = $check;
                check(&text)?;
                Ok(Self(text))
            }

            /// Returns the text of the id.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Returns the text of the id as UTF-8 bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                self.0.as_bytes()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A tenant: an organisation. Its id is part of every storage key.
    TenantId,
    check_slug
);
name!(
    /// A leaderboard within a tenant.
    LeaderboardId,
    check_slug
);
name!(
    /// A region: the instances that share a key-value store.
    RegionName,
    check_slug
);
name!(
    /// A player: 1 to 128 bytes of UTF-8 without control characters, not normalised. Ordered by bytes.
    PlayerId,
    |text| check_text(text, MAX_PLAYER_BYTES)
);
name!(
    /// The id that a client gives a submission. A leaderboard accepts the same id once in 24 hours.
    SubmissionId,
    |text| check_text(text, MAX_SUBMISSION_ID_BYTES)
);

/// The scope in which the id of a submission is unique.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum IdScope {
    /// The leaderboard: the same id from any server of the tenant means the same submission.
    #[default]
    Leaderboard,
    /// The player: the same id from another player, or from a server, means another submission.
    Player,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_follow_the_pattern() {
        for good in ["a", "0", "goals-by-year", "a.b_c-d", &"x".repeat(64)] {
            assert!(LeaderboardId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", ".a", "A", "a b", "é", "a/b", "a:b", &"x".repeat(65)] {
            assert!(LeaderboardId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn players_and_submission_ids_are_any_text_without_control_characters() {
        let (longest, too_long) = ("x".repeat(128), "x".repeat(129));
        for good in [
            "José Piendibene (Uruguay)",
            "日本",
            " ",
            "a,b:c",
            &"é".repeat(64),
            &longest,
        ] {
            assert_eq!(PlayerId::new(good).map(|p| p.to_string()).as_deref(), Ok(good));
            assert!(SubmissionId::new(good).is_ok(), "{good:?}");
        }
        for bad in [
            "",
            "a\nb",
            "\u{0}",
            "\u{85}",
            "\u{7f}",
            "\u{1b}[31m",
            &"é".repeat(65),
            &too_long,
        ] {
            assert!(PlayerId::new(bad).is_err(), "{bad:?}");
            assert!(SubmissionId::new(bad).is_err(), "{bad:?}");
        }
    }
}
