//! The calls that are timed.

use std::time::Instant;

use leaderboard_core::access::Caller;
use leaderboard_core::ports::{PageFrom, RankDetail, Scores};
use leaderboard_core::{PlayerId, PreparedSubmission};
use leaderboard_suite::measure::Times;

use super::Outcome;
use super::board::{Board, World, now, player, scattered};

/// The boards take turns after so many calls, so that a busy moment of the machine meets both.
const CALLS_IN_A_TURN: u64 = 100;
const TURNS: u64 = 40;
/// The first turns, which are not counted.
const WARM_UP_TURNS: u64 = 4;
const WINDOW: u32 = 11;
const PAGE: u32 = 10;
/// Where pages begin, in thousandths of the list.
const MIDDLE: std::ops::Range<u16> = 450..550;

/// A thing that is asked of a store.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    Rank,
    Around,
    Page,
    Submission,
}

/// What calls took.
#[derive(Default)]
pub(super) struct Cost {
    pub(super) times: Times,
    /// The mean inside the server, in microseconds.
    pub(super) inside_us: f64,
}

/// The arguments of one call.
enum Call {
    Rank([PlayerId; 1]),
    Around(PlayerId),
    Page(PageFrom),
    Submission([PreparedSubmission; 1]),
}

impl Operation {
    pub(super) const ALL: [Self; 4] = [Self::Rank, Self::Around, Self::Page, Self::Submission];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rank => "rank of a player",
            Self::Around => "around a player (11)",
            Self::Page => "page of 10 in the middle",
            Self::Submission => "submission with ranks",
        }
    }

    fn call(self, board: &Board, middles: &[PageFrom], number: u64) -> Outcome<Call> {
        let someone = || player(scattered(number) % board.entries);
        Ok(match self {
            Self::Rank => Call::Rank([someone()?]),
            Self::Around => Call::Around(someone()?),
            Self::Page => {
                let at = usize::try_from(number)? % middles.len();
                Call::Page(middles.get(at).ok_or("no such place")?.clone())
            }
            Self::Submission => {
                let score = scattered(number.wrapping_add(board.entries));
                Call::Submission([board.attempt(scattered(number) % board.entries, score)?])
            }
        })
    }
}

/// Times an operation on both boards in turns.
pub(super) async fn in_turns(world: &World, operation: Operation, boards: [&Board; 2]) -> Outcome<[Cost; 2]> {
    let mut costs = [Cost::default(), Cost::default()];
    let middles = [middles(world, boards[0]).await?, middles(world, boards[1]).await?];
    for turn in 0..WARM_UP_TURNS + TURNS {
        for ((board, middles), cost) in boards.iter().zip(&middles).zip(&mut costs) {
            let numbers = turn * CALLS_IN_A_TURN..(turn + 1) * CALLS_IN_A_TURN;
            let calls: Vec<Call> = numbers
                .map(|number| operation.call(board, middles, number))
                .collect::<Outcome<_>>()?;
            let before = inside_us(world).await?;
            let mut times = Times::default();
            for call in &calls {
                let started = Instant::now();
                run(world, board, call).await?;
                times.push(started.elapsed());
            }
            if turn >= WARM_UP_TURNS {
                cost.times.extend(times);
                cost.inside_us +=
                    (inside_us(world).await? - before) / f64::from(u32::try_from(TURNS * CALLS_IN_A_TURN)?);
            }
        }
    }
    Ok(costs)
}

/// What all scripts took so far; reads are called by another name than writes.
async fn inside_us(world: &World) -> Outcome<f64> {
    let mut total = 0;
    for command in ["cmdstat_evalsha:", "cmdstat_evalsha_ro:"] {
        total += world
            .info("commandstats", command, "usec=")
            .await?
            .unwrap_or_default();
    }
    // Whole microseconds: exact in a double for centuries.
    Ok(f64::from(u32::try_from(total)?))
}

/// Cursors to the middle of a board.
async fn middles(world: &World, board: &Board) -> Outcome<Vec<PageFrom>> {
    let fractions: Vec<u16> = MIDDLE.collect();
    let sample = world.store.sample(&world.place(board), &fractions).await;
    let sample = sample.map_err(|error| format!("{error:?}"))?;
    let layout = sample.layout.ok_or("an empty board")?;
    let first = player(0)?;
    let keys = sample
        .values
        .iter()
        .map(|values| layout.key(values, now(), &first));
    Ok(keys.map(PageFrom::After).collect())
}

async fn run(world: &World, board: &Board, call: &Call) -> Outcome<()> {
    let place = world.place(board);
    let entries = match call {
        Call::Rank(players) => {
            let found = world
                .store
                .entries_by_player(&place, players, &Caller::Server)
                .await;
            found.map(|found| found.entries.len() == 1)
        }
        Call::Around(player) => {
            let found = world.store.around(&place, player, WINDOW, &Caller::Server).await;
            found.map(|page| page.is_some_and(|page| page.entries.len() == WINDOW as usize))
        }
        Call::Page(from) => {
            let found = world.store.page(&place, from, PAGE, &Caller::Anonymous).await;
            found.map(|page| page.entries.len() == PAGE as usize)
        }
        Call::Submission(attempts) => {
            world.submit(attempts, RankDetail::Full).await?;
            Ok(true)
        }
    };
    match entries {
        Ok(true) => Ok(()),
        Ok(false) => Err("fewer entries than asked for".into()),
        Err(error) => Err(format!("{error:?}").into()),
    }
}
