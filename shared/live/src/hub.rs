//! The streams of one topic in an instance, and the task that polls the store and writes for all of them.
//!
//! One task writes all streams of a hub, and not one task each: a task of a component cannot wake another one (docs/decisions/0012), so
//! each stream would need timers of its own.

use std::cell::RefCell;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll as TaskPoll};

use bytes::Bytes;
use futures::future::{pending, select};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use leaderboard_api::tenant_record::TenantState;
use leaderboard_api::{BodyWriter, Problem, ProblemType};
use leaderboard_core::{PlayerId, Timestamp};
use leaderboard_tenant_config::TenantConfig;

use crate::event::{EventWriter, HEARTBEAT};
use crate::poll::{Poll, Topic};
use crate::view::{Shown, View};
use crate::{EVENT_INTERVAL_MS, HEARTBEAT_MS, LiveEnvironment, StreamPlace, WRITE_LIMIT_MS};

/// The streams of one topic in an instance.
#[derive(Debug)]
pub(crate) struct Hub {
    topic: Topic,
    /// Streams that the task of the hub has not taken yet.
    joining: RefCell<Vec<Stream>>,
}

impl Hub {
    pub(crate) fn is_of(&self, topic: &Topic) -> bool {
        self.topic == *topic
    }
}

/// An open stream. It ends when it is dropped.
pub struct Stream {
    /// Sends the events.
    pub writer: Box<dyn BodyWriter>,
    /// The state that the client has.
    pub shown: Shown,
    /// The player whose entry the stream shows.
    pub player: Option<PlayerId>,
    /// Whether the caller is this player, who sees their own entry also while they are banned.
    pub is_players_own: bool,
    /// Whether the caller has no credential, and may see a public leaderboard alone.
    pub is_anonymous: bool,
    /// When the stream ends.
    pub ends_at: Timestamp,
    /// When the last part was sent.
    pub sent_at: Timestamp,
    /// The place of the stream in its instance.
    pub place: StreamPlace,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stream")
    }
}

/// Adds a stream to the hub of its topic. The first stream of a topic starts the task of the hub.
pub fn join<E: LiveEnvironment>(env: &E, topic: Topic, stream: Stream) {
    let mut hubs = env.live().hubs.borrow_mut();
    if let Some(hub) = hubs.iter().find(|hub| hub.is_of(&topic)) {
        hub.joining.borrow_mut().push(stream);
        return;
    }
    let hub = Rc::new(Hub {
        topic,
        joining: RefCell::new(vec![stream]),
    });
    hubs.push(Rc::clone(&hub));
    drop(hubs);
    env.later(run(env.clone(), hub));
}

/// A write of a part to one stream. Completes with the stream; `None` if its client closed the connection.
struct Write {
    began_at: Timestamp,
    work: Pin<Box<dyn Future<Output = Option<Stream>>>>,
}

impl Write {
    fn begin(mut stream: Stream, part: Bytes, now: Timestamp) -> Self {
        stream.sent_at = now;
        Self {
            began_at: now,
            work: Box::pin(async move { stream.writer.write(part).await.then_some(stream) }),
        }
    }

    fn is_stuck(&self, now: Timestamp) -> bool {
        now.as_unix_ms() - self.began_at.as_unix_ms() >= WRITE_LIMIT_MS
    }
}

impl Future for Write {
    type Output = Option<Stream>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> TaskPoll<Option<Stream>> {
        self.work.poll_unpin(cx)
    }
}

/// The streams of a hub: those that wait for an event, and those that are being written.
#[derive(Default)]
struct Streams {
    idle: Vec<Stream>,
    writes: FuturesUnordered<Write>,
}

impl Streams {
    /// Waits for a poll, and takes back the streams whose write completes in the meantime.
    async fn wait<E: LiveEnvironment>(&mut self, env: &E) {
        let Self { idle, writes } = self;
        let written = async {
            while let Some(stream) = writes.next().await {
                idle.extend(stream);
            }
            pending::<()>().await;
        };
        select(pin!(env.pause(EVENT_INTERVAL_MS)), pin!(written)).await;
    }

    /// Drops the streams whose life is over, and those whose client takes nothing.
    fn drop_ended(&mut self, now: Timestamp) {
        self.idle.retain(|stream| stream.ends_at > now);
        if self.writes.iter().any(|write| write.is_stuck(now)) {
            let writes = std::mem::take(&mut self.writes);
            self.writes = writes.into_iter().filter(|write| !write.is_stuck(now)).collect();
        }
    }

    fn is_empty(&self) -> bool {
        self.idle.is_empty() && self.writes.is_empty()
    }

    /// Returns the players of the streams that wait for an event.
    fn players(&self) -> Vec<PlayerId> {
        let mut players: Vec<PlayerId> = Vec::new();
        for player in self.idle.iter().filter_map(|stream| stream.player.as_ref()) {
            if !players.contains(player) {
                players.push(player.clone());
            }
        }
        players
    }

    /// Begins to write to each stream that `part_of` has a part for, and to each that was silent for long.
    fn write(&mut self, now: Timestamp, mut part_of: impl FnMut(&mut Stream) -> Option<Bytes>) {
        for mut stream in std::mem::take(&mut self.idle) {
            let silent_ms = now.as_unix_ms() - stream.sent_at.as_unix_ms();
            let heartbeat = || (silent_ms >= HEARTBEAT_MS).then(|| Bytes::from_static(HEARTBEAT.as_bytes()));
            match part_of(&mut stream).or_else(heartbeat) {
                Some(part) => self.writes.push(Write::begin(stream, part, now)),
                None => self.idle.push(stream),
            }
        }
    }
}

/// Polls and writes until the hub has no stream.
async fn run<E: LiveEnvironment>(env: E, hub: Rc<Hub>) {
    let mut streams = Streams::default();
    let mut poll = Poll::default();
    loop {
        streams.wait(&env).await;
        let env = env.renewed();
        streams.idle.append(&mut hub.joining.borrow_mut());
        streams.drop_ended(env.now());
        // No other request runs between these lines, so no stream joins a hub that is about to go.
        if streams.is_empty() {
            break;
        }
        match read_state(&env, &hub.topic, &mut poll, &streams).await {
            Ok((view, config)) => {
                move_banned(&env, &hub.topic, &config, &mut streams);
                send_events(&hub.topic, &poll, &view, &mut streams, env.clock());
            }
            // The clients have the last state while the store is out of reach.
            Err(problem) if problem.kind.status().is_server_error() => streams.write(env.clock(), |_| None),
            // The leaderboard or the period does not exist any more. A client that resumes gets the problem.
            Err(_) => break,
        }
    }
    let mut hubs = env.live().hubs.borrow_mut();
    hubs.retain(|other| !Rc::ptr_eq(other, &hub));
}

/// Reads the state of the topic, and then the tenant's configuration, which has the bans that the state depends on.
async fn read_state<E: LiveEnvironment>(
    env: &E,
    topic: &Topic,
    poll: &mut Poll,
    streams: &Streams,
) -> Result<(Rc<View>, Rc<TenantConfig>), Problem> {
    let view = poll.read(env, topic, &streams.players()).await?;
    let config = TenantConfig::load(env, &topic.tenant).await?;
    if config.tenant.state == TenantState::Suspended {
        return Err(Problem::new(ProblemType::TenantSuspended));
    }
    Ok((view, config))
}

/// Moves the streams of players who may be banned to hubs of their own, so that the players do not notice the ban.
fn move_banned<E: LiveEnvironment>(env: &E, topic: &Topic, config: &TenantConfig, streams: &mut Streams) {
    if topic.viewer.is_some() {
        return;
    }
    for stream in std::mem::take(&mut streams.idle) {
        match &stream.player {
            Some(player) if stream.is_players_own && config.banned.may_have(player) => {
                let own = Topic {
                    viewer: Some(player.clone()),
                    ..topic.clone()
                };
                join(env, own, stream);
            }
            _ => streams.idle.push(stream),
        }
    }
}

/// Begins to write to each stream what changed since the state that its client has. Ends the streams that may not see the leaderboard
/// any more.
fn send_events(topic: &Topic, poll: &Poll, view: &Rc<View>, streams: &mut Streams, now: Timestamp) {
    if !view.is_public {
        streams.idle.retain(|stream| !stream.is_anonymous);
    }
    let mut events = EventWriter::new(topic);
    streams.write(now, |stream| {
        let shown = poll.shown(view, stream.player.as_ref());
        if shown.shows_the_same(&stream.shown) {
            return None;
        }
        // An event that cannot be written has a cause in damaged data, which stays the last state of the client.
        let event = events.write(&stream.shown, &shown).ok()?;
        stream.shown = shown;
        Some(event)
    });
}
