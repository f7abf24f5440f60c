//! Which players are banned, as far as the edge has to know: a list that is the same for everybody is not for them.

use std::collections::BTreeMap;

use leaderboard_core::codec::{Malformed, Reader, Writer};
use leaderboard_core::ports::{Ban, Bans, DocumentKind, Documents, Expected};
use leaderboard_core::{PlayerId, StoreError, TenantId, Timestamp};
use sha2::{Digest, Sha256};

use super::tenant_config::{TenantConfig, only};
use crate::TenantConfigEnvironment;

/// The form below.
const FORM_V1: u8 = 1;
/// How often a change is tried that another one comes before.
const MAX_TRIES: u32 = 8;

/// Digests of the players who are banned in a tenant, and when their bans end. There may be more of them than bans: one too
/// many costs a look at the store, and one too few would show the ban to its player.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Banned(BTreeMap<u64, Option<Timestamp>>);

impl Banned {
    /// Whether a player may be banned.
    pub fn may_have(&self, player: &PlayerId) -> bool {
        !self.0.is_empty() && self.0.contains_key(&digest(player))
    }

    /// Notes a ban that is about to be made. One of the player's that ends later stays noted, because it holds until the store has
    /// taken the new one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add<E: TenantConfigEnvironment>(
        env: &E,
        tenant: &TenantId,
        ban: &Ban,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        Self::change(env, tenant, now, |banned| banned.extend(ban)).await
    }

    /// Notes the end of a ban that was just made, also where one that ended later was noted. Bans of the same player that are made
    /// at once are noted with the latest of their ends.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn settle<E: TenantConfigEnvironment>(
        env: &E,
        tenant: &TenantId,
        ban: &Ban,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        Self::change(env, tenant, now, |banned| {
            banned.0.insert(digest(&ban.player), ban.expires_at);
        })
        .await?;
        // Another one may have been made, and noted, meanwhile.
        match env.store().find_ban(tenant, &ban.player, now).await? {
            Some(there) if there.expires_at != ban.expires_at => Self::add(env, tenant, &there, now).await,
            _ => Ok(()),
        }
    }

    /// Notes a ban, unless one of the same player is noted that ends no earlier.
    fn extend(&mut self, ban: &Ban) {
        let end = self.0.entry(digest(&ban.player)).or_insert(ban.expires_at);
        // One without an end is the latest.
        *end = end.zip(ban.expires_at).map(|(there, new)| there.max(new));
    }

    /// Forgets a ban that has ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove<E: TenantConfigEnvironment>(
        env: &E,
        tenant: &TenantId,
        player: &PlayerId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        Self::change(env, tenant, now, |banned| {
            banned.0.remove(&digest(player));
        })
        .await
    }

    async fn change<E: TenantConfigEnvironment>(
        env: &E,
        tenant: &TenantId,
        now: Timestamp,
        change: impl Fn(&mut Self),
    ) -> Result<(), StoreError> {
        let name = only(Some(tenant), DocumentKind::Bans);
        for _ in 0..MAX_TRIES {
            let found = env.store().read_documents(std::slice::from_ref(&name)).await?;
            let found = found.into_iter().next().flatten();
            let before = Self::parse(found.as_ref().map(|document| document.value.as_slice()))?;
            let mut after = before.clone();
            after.0.retain(|_, end| end.is_none_or(|end| end > now));
            change(&mut after);
            if after == before {
                return Ok(());
            }
            let expected = found
                .as_ref()
                .map_or(Expected::Absent, |document| Expected::Version(document.version));
            if env
                .store()
                .put_document(&name, &after.to_bytes(), expected)
                .await?
                .is_ok()
            {
                TenantConfig::changed(env, Some(tenant)).await;
                return Ok(());
            }
        }
        Err(StoreError::Unavailable(
            "bans change faster than they can be noted".into(),
        ))
    }

    /// The form in which the store keeps it; nothing where there is no document.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it is another one.
    pub fn parse(bytes: Option<&[u8]>) -> Result<Self, StoreError> {
        let Some(bytes) = bytes else {
            return Ok(Self::default());
        };
        Self::read(bytes).map_err(|error| StoreError::Corrupt(format!("banned players: {error}")))
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        if r.byte()? != FORM_V1 {
            return Err(Malformed("banned players"));
        }
        let mut banned = BTreeMap::new();
        for _ in 0..r.unsigned()? {
            let player = r.unsigned()?;
            banned.insert(player, r.option(Reader::timestamp)?);
        }
        r.end()?;
        Ok(Self(banned))
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.byte(FORM_V1);
        w.unsigned(self.0.len() as u64);
        for (player, end) in &self.0 {
            w.unsigned(*player);
            w.option(*end, Writer::timestamp);
        }
        w.finish()
    }
}

fn digest(player: &PlayerId) -> u64 {
    let digest: [u8; 32] = Sha256::digest(player.as_bytes()).into();
    digest.first_chunk().map_or(0, |head| u64::from_be_bytes(*head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_of_two_ends_is_noted() {
        let at = |text: &str| Timestamp::parse(text).ok();
        let (soon, late) = (at("2026-07-19T21:04:00Z"), at("2026-07-20T21:04:00Z"));
        for (first, second, noted) in [
            (soon, late, late),
            (late, soon, late),
            (None, soon, None),
            (soon, None, None),
            (None, None, None),
        ] {
            let player = PlayerId::new("a").unwrap();
            let mut banned = Banned::default();
            for expires_at in [first, second] {
                banned.extend(&Ban {
                    expires_at,
                    ..Ban::new(player.clone(), Timestamp::MIN)
                });
            }
            assert_eq!(banned.0[&digest(&player)], noted, "{first:?} {second:?}");
        }
    }

    #[test]
    fn what_is_stored_is_read_back_and_nothing_else() {
        let player = |name: &str| PlayerId::new(name).unwrap();
        let mut banned = Banned::default();
        banned.0.insert(digest(&player("a")), None);
        banned.0.insert(
            digest(&player("b")),
            Timestamp::parse("2026-07-19T21:04:00Z").ok(),
        );
        let bytes = banned.to_bytes();
        assert_eq!(Banned::parse(Some(&bytes)).unwrap(), banned);
        assert!(banned.may_have(&player("a")) && !banned.may_have(&player("c")));
        assert_eq!(Banned::parse(None).unwrap(), Banned::default());
        for cut in 0..bytes.len() {
            assert!(Banned::parse(Some(&bytes[..cut])).is_err(), "{cut}");
        }
    }
}
