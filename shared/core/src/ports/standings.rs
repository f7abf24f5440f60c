//! Final standings, and claims of prizes.

use super::{PeriodRef, ReadError};
use crate::{Period, PlayerId, PrizeTable, Timestamp};

/// When and with what the standings of a period became final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    /// The instant at which the standings became final.
    pub frozen_at: Timestamp,
    /// The version of the period at this instant.
    pub version: u64,
    /// The number of visible entries at this instant.
    pub count: u64,
    /// How often late scores reopened the standings before.
    pub reopened: u64,
    /// The prizes, which later configurations do not change. `None` if a version of Edgeboard before these tables froze the standings:
    /// then the prizes are those of the configuration.
    pub prizes: Option<PrizeTable>,
}

impl Freeze {
    /// Returns whether late scores can reopen these standings ([`PrizeTable::can_be_reopened`]).
    #[must_use]
    pub fn can_be_reopened(&self) -> bool {
        PrizeTable::can_be_reopened(self.prizes.as_ref())
    }
}

/// The record that a player claimed a prize of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The name of the prize.
    pub prize: String,
    /// The rank for which the player got the prize.
    pub rank: u64,
    /// When the player claimed it.
    pub claimed_at: Timestamp,
    /// The prize that the player had claimed before for a worse rank, and gives back for this one.
    pub replaces: Option<String>,
}

impl Claim {
    /// Returns whether this claim replaces an earlier one of the same player.
    #[must_use]
    pub fn is_instead_of(&self, earlier: &Self) -> bool {
        self.replaces.as_ref() == Some(&earlier.prize) && self.rank < earlier.rank
    }
}

/// What the store did with a new claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// The claim was stored.
    Created,
    /// The player has already claimed a prize of this period, and the new claim does not replace it. The record is unchanged.
    Existing(Claim),
    /// The player does not have the rank in the claim, or other standings are final. Nothing was stored.
    Changed,
}

/// Final standings of periods, and claims of prizes. Both are kept as long as the period: they expire and are deleted with it.
pub trait Standings {
    /// Makes the standings of a period final at [`PeriodRef::now`], unless they are final. Returns when and with what they became
    /// final. If several calls freeze the same standings, the first one decides and all of them return the same.
    ///
    /// While standings are final, submissions to the period are refused with [`crate::RefusalReason::StandingsFinal`], or a
    /// submission that changes an entry ends this ([`crate::LateScores`], [`Freeze::can_be_reopened`]). Removals and bans are possible,
    /// and do not change the returned value. The table of prizes is made of the configuration in `period_ref`.
    ///
    /// If the period has never had an entry, the call creates it with the layout of the configuration, without entries.
    /// `period` is the period of `period_ref`, and `expires_at` is when it expires.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn freeze(
        &self,
        period_ref: &PeriodRef<'_>,
        period: &Period,
        expires_at: Option<Timestamp>,
    ) -> Result<Freeze, ReadError>;

    /// Returns the claim of each player, in the order of `players`. Up to 1,000 players.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn read_claims(
        &self,
        period_ref: &PeriodRef<'_>,
        players: &[PlayerId],
    ) -> Result<Vec<Option<Claim>>, ReadError>;

    /// Stores a player's claim, if `freeze` is current, and the player is not banned and has the rank in the claim. A claim that the
    /// player has in this period stays, unless it is for a worse rank and the new claim replaces its prize. All of it is one atomic
    /// step.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn claim_prize(
        &self,
        period_ref: &PeriodRef<'_>,
        player: &PlayerId,
        freeze: &Freeze,
        claim: &Claim,
    ) -> Result<ClaimOutcome, ReadError>;
}
