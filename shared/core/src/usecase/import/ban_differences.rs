//! Players who are banned in only one of an export and the tenant that imports it.

use crate::codec::{Malformed, Reader, Writer};
use crate::{PeriodId, PlayerId};

/// The most entries of such players in one import. The state of the import has all of them until its last line.
pub const MAX_BAN_DIFFERENCES: usize = 1_000;

/// Players whose bans differ, with the periods in which they have entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct BanDifferences(Vec<BanDifference>);

/// A player whose bans differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BanDifference {
    pub(super) player: PlayerId,
    /// Whether the tenant bans the player.
    pub(super) is_banned: bool,
    pub(super) periods: Vec<PeriodId>,
}

impl BanDifferences {
    /// Adds an entry of a player. Returns false if there are too many.
    pub(super) fn add(&mut self, player: &PlayerId, is_banned: bool, period: &PeriodId) -> bool {
        let entries: usize = self.0.iter().map(|known| known.periods.len()).sum();
        if entries >= MAX_BAN_DIFFERENCES {
            return false;
        }
        match self.0.iter_mut().find(|known| known.player == *player) {
            Some(known) => known.periods.push(period.clone()),
            None => self.0.push(BanDifference {
                player: player.clone(),
                is_banned,
                periods: vec![period.clone()],
            }),
        }
        true
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &BanDifference> {
        self.0.iter()
    }

    pub(super) fn write(&self, w: &mut Writer) {
        w.unsigned(self.0.len() as u64);
        for difference in &self.0 {
            w.text(difference.player.as_str());
            w.byte(u8::from(difference.is_banned));
            w.unsigned(difference.periods.len() as u64);
            for period in &difference.periods {
                w.text(period.as_str());
            }
        }
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut differences = Vec::new();
        for _ in 0..r.unsigned()? {
            let player = r.player()?;
            let is_banned = r.flag()?;
            let mut periods = Vec::new();
            for _ in 0..r.unsigned()? {
                periods.push(r.period()?);
            }
            differences.push(BanDifference {
                player,
                is_banned,
                periods,
            });
        }
        Ok(Self(differences))
    }
}
