//! Shadow bans.

use serde::Deserialize;
use utoipa::ToSchema;

use super::entries::PageV2;
use super::outcomes::PlayerIdV2;
use leaderboard_api::schema::Schemas;

pub(super) fn add(all: &mut Schemas) {
    all.add::<BanWritten>();
    all.add::<Ban>();
    all.add::<BanV2>();
    all.add::<Bans>();
    all.add::<BansV2>();
}

/// Why and until when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BanWritten {
    /// For those who administer; at most 500 bytes.
    #[schema(max_length = 500, nullable = false)]
    pub reason: Option<String>,
    /// When it ends by itself, in the future; never unless said.
    #[schema(format = "date-time", nullable = false)]
    pub expires_at: Option<String>,
}

/// Bans in the shape of a version, which is that of the player.
macro_rules! bans_with {
    ($player:ty: $ban:ident) => {
        /// A shadow ban.
        #[derive(Debug, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $ban {
            /// Who is hidden from everybody else.
            pub player: $player,
            /// Why.
            #[schema(required)]
            pub reason: Option<String>,
            /// Since when.
            pub banned_at: String,
            /// When it ends by itself; `null` is never.
            #[schema(required)]
            pub expires_at: Option<String>,
        }
    };
}

bans_with!(String: Ban);
bans_with!(PlayerIdV2: BanV2);

/// A page of bans.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Bans {
    /// In the order of their players.
    pub bans: Vec<Ban>,
    /// The cursor of the next page.
    #[schema(required)]
    pub next: Option<String>,
}

/// A page of bans.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BansV2 {
    /// In the order of their players.
    pub data: Vec<BanV2>,
    /// Where the list goes on.
    pub page: PageV2,
}
