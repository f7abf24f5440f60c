//! Reads the state of a topic.

use std::collections::HashMap;
use std::rc::Rc;

use leaderboard_api::wire::live::entry_text;
use leaderboard_api::{ApiVersion, IntegerFormat, Problem};
use leaderboard_core::access::Caller;
use leaderboard_core::ports::ReadSource;
use leaderboard_core::usecase::{self, Deps, ListQuery, MAX_PLAYERS_ASKED};
use leaderboard_core::{Columns, LeaderboardId, PeriodSelector, PlayerId, RankedEntry, ReadAccess, TenantId};

use crate::LiveEnvironment;
use crate::view::{OwnEntry, Row, Shown, View};

/// What a stream is about. Streams of one instance with the same topic share their polls of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// The tenant of the leaderboard.
    pub tenant: TenantId,
    /// The leaderboard.
    pub leaderboard: LeaderboardId,
    /// The period.
    pub period: PeriodSelector,
    /// How many entries of the top are shown.
    pub top: u32,
    /// The version of the API in which events are written.
    pub version: ApiVersion,
    /// The form of 64-bit integers.
    pub integers: IntegerFormat,
    /// The player who may be banned and sees a list of their own; `None` for what all readers see.
    pub viewer: Option<PlayerId>,
}

/// The last state of a topic, and the entries of the players of its streams.
#[derive(Debug, Default)]
pub(crate) struct Poll {
    view: Option<Rc<View>>,
    own: HashMap<PlayerId, Rc<OwnEntry>>,
}

impl Poll {
    /// Reads the state now. Reads the entries of players only if the list changed, or if a player is new.
    ///
    /// # Errors
    /// The problem to answer with.
    pub(crate) async fn read<E: LiveEnvironment>(
        &mut self,
        env: &E,
        topic: &Topic,
        players: &[PlayerId],
    ) -> Result<Rc<View>, Problem> {
        let deps = Deps {
            store: env.store(),
            cache: env.cache(),
            leaderboard_memory: env.leaderboard_memory(),
            tenant: &topic.tenant,
            now: env.clock(),
            // A replica can be further behind than the last poll, and a stream must not go back.
            source: ReadSource::Primary,
        };
        let view = read_view(&deps, topic).await?;
        let is_known = self
            .view
            .as_ref()
            .is_some_and(|known| known.version == view.version && known.shows_the_same(&view));
        if !is_known {
            self.own.clear();
        }
        self.own.retain(|player, _| players.contains(player));
        let unread: Vec<PlayerId> = players
            .iter()
            .filter(|player| !self.own.contains_key(*player))
            .cloned()
            .collect();
        for some in unread.chunks(MAX_PLAYERS_ASKED) {
            self.read_own(&deps, topic, some).await?;
        }
        let view = match &self.view {
            Some(known) if is_known => Rc::clone(known),
            _ => Rc::new(view),
        };
        self.view = Some(Rc::clone(&view));
        Ok(view)
    }

    /// Returns the state of a stream whose own player is `player`. The last call of [`Poll::read`] must have had this player.
    pub(crate) fn shown(&self, view: &Rc<View>, player: Option<&PlayerId>) -> Shown {
        Shown {
            view: Rc::clone(view),
            own: player.and_then(|player| self.own.get(player).cloned()),
        }
    }

    async fn read_own<S: usecase::Store, K: leaderboard_core::ports::Cache>(
        &mut self,
        deps: &Deps<'_, S, K>,
        topic: &Topic,
        players: &[PlayerId],
    ) -> Result<(), Problem> {
        let caller = topic.caller();
        let found =
            usecase::read_entries_by_player(deps, &caller, &topic.leaderboard, players, &topic.period)
                .await
                .map_err(|error| Problem::of_query(error, &caller))?;
        let mut rows: HashMap<PlayerId, Row> = HashMap::new();
        for ranked in found.entries {
            let player = ranked.entry.player.clone();
            rows.insert(player, topic.row(ranked, &found.layout.columns)?);
        }
        for player in players {
            let own = OwnEntry::new(found.version, rows.remove(player));
            self.own.insert(player.clone(), Rc::new(own));
        }
        Ok(())
    }
}

impl Topic {
    fn caller(&self) -> Caller {
        self.viewer.clone().map_or(Caller::Reader, Caller::Player)
    }

    fn row(&self, ranked: RankedEntry, columns: &Columns) -> Result<Row, Problem> {
        let text = entry_text(self.version, self.integers, &ranked, columns)?;
        Ok(Row { ranked, text })
    }
}

async fn read_view<S: usecase::Store, K: leaderboard_core::ports::Cache>(
    deps: &Deps<'_, S, K>,
    topic: &Topic,
) -> Result<View, Problem> {
    let query = ListQuery {
        period: topic.period.clone(),
        cursor: None,
        limit: topic.top,
    };
    let caller = topic.caller();
    let found = usecase::read_page(deps, &caller, &topic.leaderboard, &query)
        .await
        .map_err(|error| Problem::of_query(error, &caller))?;
    let columns = &found.layout.columns;
    let rows: Result<_, Problem> = found
        .page
        .entries
        .into_iter()
        .map(|ranked| topic.row(ranked, columns))
        .collect();
    let is_public = found.leaderboard.value.access.read == ReadAccess::Public;
    let state = (found.page.version, found.page.count);
    Ok(View::new(found.period, state, rows?, is_public))
}

/// Reads the first state of a stream.
///
/// # Errors
/// The problem to answer with, as for a caller who may read the leaderboard.
pub async fn read_shown<E: LiveEnvironment>(
    env: &E,
    topic: &Topic,
    player: Option<&PlayerId>,
) -> Result<Shown, Problem> {
    let mut poll = Poll::default();
    let view = poll
        .read(env, topic, player.map(std::slice::from_ref).unwrap_or_default())
        .await?;
    Ok(poll.shown(&view, player))
}
