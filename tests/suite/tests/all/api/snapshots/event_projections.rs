//! Snapshots of named projections.

use super::{compare, create_goals};
use crate::cases::api_cases;

api_cases! {
    async fn named_projections(api) {
        create_goals(api).await;
        compare("activity", &api.get("/leaderboards/goals/activity").await);
        let bests = "/players/Ali%20Daei%20(Iran)/personal-bests?leaderboard=goals";
        compare("personal-bests", &api.get(bests).await);
        compare("v2-personal-bests", &api.get_v2(bests).await);
        compare("pending-scores", &api.get("/players/ann/pending-scores").await);
        compare("v2-pending-scores", &api.get_v2("/players/ann/pending-scores").await);
        compare("player-erased", &api.delete("/players/nobody").await);
    }
}
