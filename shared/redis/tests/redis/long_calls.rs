//! Tests of calls whose submissions take several commands.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use futures::poll;
use leaderboard_core::ports::{RankDetail, Scores, SubmitOptions, Submitted};
use leaderboard_core::{
    IdScope, Leaderboard, Operator, PreparedSubmission, StoreError, SubmissionId, Versioned,
};
use leaderboard_redis::RedisStore;

use crate::gate::Gate;
use crate::server::Server;
use crate::world::{NOW_MS, charge_request, hourly_charge, prepare, put, simple_leaderboard, tenant};

/// The maximum number of targets of one command.
const MAX_TARGETS: usize = 64;
/// The number of submissions of a call with three commands.
const SUBMISSIONS: usize = 2 * MAX_TARGETS + 2;

type Call<'a> = Pin<Box<dyn Future<Output = Result<Submitted, StoreError>> + 'a>>;

/// A store behind a closed gate, and a leaderboard that adds up the scores of a player.
struct Gated<'a> {
    gate: &'a Gate,
    store: RedisStore<&'a Gate>,
    board: Rc<Versioned<Leaderboard>>,
}

impl<'a> Gated<'a> {
    async fn new(gate: &'a Gate) -> Self {
        let store = RedisStore::new(gate);
        let leaderboard = Leaderboard {
            operator: Operator::Increment,
            ..simple_leaderboard("a")
        };
        let board = put(&store, &leaderboard).await;
        gate.close();
        Self { gate, store, board }
    }

    /// Returns the submissions of a call, each of a player of its own. The one with the number `n` adds `n`.
    fn submissions(&self) -> Vec<PreparedSubmission> {
        let one = |number: i64| prepare(&self.board, &format!("p{number}"), number, NOW_MS);
        (0..).take(SUBMISSIONS).map(one).collect()
    }

    fn submit(&self, submissions: Vec<PreparedSubmission>, options: SubmitOptions) -> Call<'_> {
        Box::pin(async move {
            self.store
                .submit_with_options(&tenant(), &submissions, &options)
                .await
        })
    }

    /// Polls a call until it cannot make progress, and returns how many of its commands are held back.
    async fn count_held_back(&self, call: &mut Call<'_>) -> usize {
        for _ in 0..50 {
            assert!(poll!(call.as_mut()).is_pending());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.gate.waiting()
    }
}

fn options() -> SubmitOptions {
    SubmitOptions::new(RankDetail::Omitted)
}

/// Returns the value of each entry after its submission.
fn read_values(submitted: &Submitted) -> Vec<i64> {
    let outcomes = submitted
        .answers
        .iter()
        .map(|answer| &answer.as_ref().unwrap()[0]);
    outcomes.map(|outcome| outcome.values.first()).collect()
}

#[tokio::test]
async fn two_commands_are_under_way() {
    let server = Server::start().await;
    let gate = Gate::open(&server).await;
    let gated = Gated::new(&gate).await;
    let mut call = gated.submit(gated.submissions(), options());
    assert_eq!(gated.count_held_back(&mut call).await, 2);
    gate.let_pass(1);
    assert_eq!(gated.count_held_back(&mut call).await, 2);
    gate.let_pass(2);
    assert_eq!(call.await.unwrap().answers.len(), SUBMISSIONS);
}

#[tokio::test]
async fn the_answers_are_in_the_order_of_the_submissions_also_if_a_reply_overtakes_another() {
    let server = Server::start().await;
    let gate = Gate::open(&server).await;
    let gated = Gated::new(&gate).await;
    gate.delay_next_reply();
    gate.let_pass(3);
    let submitted = gated.submit(gated.submissions(), options()).await.unwrap();
    let expected: Vec<_> = (0..).take(SUBMISSIONS).collect();
    assert_eq!(read_values(&submitted), expected);
}

#[tokio::test]
async fn commands_with_a_player_in_common_come_one_after_another() {
    let server = Server::start().await;
    let gate = Gate::open(&server).await;
    let gated = Gated::new(&gate).await;
    let mut submissions = gated.submissions();
    // The last of the first command, and one in the middle of the second.
    submissions[MAX_TARGETS + 30].player = submissions[MAX_TARGETS - 1].player.clone();
    let mut call = gated.submit(submissions, options());
    assert_eq!(gated.count_held_back(&mut call).await, 1);
    gate.let_pass(1);
    assert_eq!(gated.count_held_back(&mut call).await, 2);
    gate.let_pass(2);
    let values = read_values(&call.await.unwrap());
    assert_eq!((values[MAX_TARGETS - 1], values[MAX_TARGETS + 30]), (63, 63 + 94));
}

#[tokio::test]
async fn of_two_players_with_one_submission_id_the_first_counts() {
    let server = Server::start().await;
    let gate = Gate::open(&server).await;
    let gated = Gated::new(&gate).await;
    let mut submissions = gated.submissions();
    for number in [MAX_TARGETS - 1, MAX_TARGETS + 30] {
        submissions[number].id = Some(SubmissionId::new("match-1").unwrap());
        submissions[number].id_scope = IdScope::Leaderboard;
        submissions[number].fingerprint = [u8::try_from(number).unwrap(); 16];
    }
    let mut call = gated.submit(submissions, options());
    assert_eq!(gated.count_held_back(&mut call).await, 1);
    gate.let_pass(3);
    let answers = call.await.unwrap().answers;
    assert!(answers[MAX_TARGETS - 1].is_ok());
    assert!(
        answers[MAX_TARGETS + 30].is_err(),
        "{:?}",
        answers[MAX_TARGETS + 30]
    );
}

#[tokio::test]
async fn the_command_that_charges_comes_alone() {
    let server = Server::start().await;
    let gate = Gate::open(&server).await;
    let gated = Gated::new(&gate).await;
    let charged = SubmitOptions {
        charge_request: charge_request(vec![hourly_charge("a", 1, 1)]),
        ..options()
    };
    let mut call = gated.submit(gated.submissions(), charged.clone());
    assert_eq!(gated.count_held_back(&mut call).await, 1);
    gate.let_pass(3);
    assert_eq!(call.await.unwrap().answers.len(), SUBMISSIONS);
    // The limit refuses the second call, which sends nothing after that.
    gate.let_pass(1);
    let refused = gated.submit(gated.submissions(), charged).await.unwrap();
    assert!(refused.rate_limit_decision.refused && refused.answers.is_empty());
}

#[tokio::test]
async fn after_a_failure_no_further_command_is_sent() {
    let server = Server::start().await;
    let gate = Gate::open(&server).await;
    let gated = Gated::new(&gate).await;
    let mut call = gated.submit(gated.submissions(), options());
    assert_eq!(gated.count_held_back(&mut call).await, 2);
    gate.fail();
    // The second command is awaited, so that nothing is under way when the call returns.
    assert_eq!(gated.count_held_back(&mut call).await, 1);
    gate.let_pass(1);
    let failed = call.await;
    assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
    let stored = server.run_command("HLEN eb:acme:b:a:e:all").await;
    assert_eq!(format!("{stored:?}"), "[Integer(64)]");
}
