//! Group commit: calls that arrive in an instance while a call of the same tenant is under way are sent together, in the next command.
//! Each call keeps its own charge, outcomes and refusals.

use std::any::Any;
use std::cell::RefCell;
use std::iter;
use std::rc::Rc;

use leaderboard_core::ports::SubmitOptions;
use leaderboard_core::{PreparedSubmission, StoreError, TenantId};

use crate::connection::Connection;
use crate::reply_reader::corrupt;
use crate::server::Server;
use crate::submit_call::{SubmitCall, can_share_command};
use crate::submit_command::{MAX_TARGETS_PER_COMMAND, send_group};
use crate::submit_reply::CallReply;

/// The maximum size of the metadata in one group, in bytes. The rest of a group is less than 1 KiB for each target.
const MAX_GROUP_METADATA_BYTES: usize = 64 * 1024;

/// A call that waits for a command, or that is under way.
#[derive(Debug)]
struct PendingCall {
    tenant: TenantId,
    options: SubmitOptions,
    /// The submissions; empty for a call that does not wait, because only its own request sends it.
    submissions: Vec<PreparedSubmission>,
    state: RefCell<State>,
    /// Wakes the request of this call when it is dropped.
    waker: RefCell<Option<Box<dyn Any>>>,
}

#[derive(Debug)]
enum State {
    Waiting,
    /// The request of this call sends a group, or is about to.
    Leading,
    /// Another request sends this call.
    Sent,
    Answered(Result<CallReply, StoreError>),
}

impl PendingCall {
    fn is_peer(&self, tenant: &TenantId, options: &SubmitOptions) -> bool {
        self.tenant == *tenant && can_share_command(&self.options, options)
    }

    fn is_waiting(&self) -> bool {
        matches!(*self.state.borrow(), State::Waiting)
    }

    fn is_leading(&self) -> bool {
        matches!(*self.state.borrow(), State::Leading)
    }

    fn as_call(&self) -> SubmitCall<'_> {
        SubmitCall::new(&self.submissions, &self.options)
    }

    /// Changes the state, and wakes the request.
    fn wake(&self, state: State) {
        *self.state.borrow_mut() = state;
        self.waker.take();
    }
}

/// The calls of this instance that wait or are under way, in the order of their arrival.
#[derive(Debug, Clone, Default)]
pub(crate) struct GroupCommit(Rc<RefCell<Vec<Rc<PendingCall>>>>);

impl GroupCommit {
    /// Sends a call: at once, or with the next command if a call that can share a command with it is under way.
    ///
    /// # Errors
    /// The error of this call, or of the command. [`StoreError::Unavailable`] if the request that sent the command was dropped,
    /// because it is unknown whether the server has applied the group.
    pub(crate) async fn submit<C: Connection>(
        &self,
        server: &Server<C>,
        tenant: &TenantId,
        call: SubmitCall<'_>,
    ) -> Result<CallReply, StoreError> {
        // A call that already has its result is not counted: it wakes no other call.
        let waits = self
            .0
            .borrow()
            .iter()
            .any(|other| other.is_leading() && other.is_peer(tenant, call.options));
        let (waker, signal) = waits.then(|| server.signal()).unzip();
        let mut membership = self.join(PendingCall {
            tenant: tenant.clone(),
            options: call.options.clone(),
            submissions: if waits {
                call.submissions.to_vec()
            } else {
                Vec::new()
            },
            state: RefCell::new(if waits { State::Waiting } else { State::Leading }),
            waker: RefCell::new(waker),
        });
        if let Some(signal) = signal {
            signal.await;
        }
        if let Some(result) = membership.take_result() {
            return result;
        }
        membership.take_followers(call);
        let followers = membership.followers.iter().map(|follower| follower.as_call());
        let calls: Vec<_> = iter::once(call).chain(followers).collect();
        match send_group(server, tenant, &calls).await {
            Ok(results) => {
                let mut results = results.into_iter();
                let own = results.next().ok_or_else(|| corrupt("reply to a group"));
                for (follower, result) in membership.followers.iter().zip(results) {
                    follower.wake(State::Answered(result));
                }
                own?
            }
            Err(error) => {
                for follower in &membership.followers {
                    follower.wake(State::Answered(Err(error.clone())));
                }
                Err(error)
            }
        }
    }

    fn join(&self, call: PendingCall) -> Membership<'_> {
        let call = Rc::new(call);
        self.0.borrow_mut().push(Rc::clone(&call));
        Membership {
            calls: &self.0,
            call,
            followers: Vec::new(),
        }
    }
}

/// The membership of a request among the calls. Dropping it leaves them, also if the request ends early; then a request that leads a
/// group fails its followers, and the next request that waits leads the next group.
#[derive(Debug)]
struct Membership<'a> {
    calls: &'a RefCell<Vec<Rc<PendingCall>>>,
    call: Rc<PendingCall>,
    /// The other calls of the group that this request sends.
    followers: Vec<Rc<PendingCall>>,
}

impl Membership<'_> {
    /// Returns the result, if another request has sent this call.
    fn take_result(&self) -> Option<Result<CallReply, StoreError>> {
        match self.call.state.replace(State::Leading) {
            State::Answered(result) => {
                self.call.state.replace(State::Sent);
                Some(result)
            }
            _ => None,
        }
    }

    /// Takes the calls that wait and fit into one command with `own`, the first ones.
    fn take_followers(&mut self, own: SubmitCall<'_>) {
        let (mut targets, mut bytes) = (own.count_targets(), own.count_metadata_bytes());
        let calls = self.calls.borrow();
        let waiting = calls.iter().filter(|other| self.is_waiting_peer(other));
        let fitting = waiting.take_while(|other| {
            targets += other.as_call().count_targets();
            bytes += other.as_call().count_metadata_bytes();
            targets <= MAX_TARGETS_PER_COMMAND && bytes <= MAX_GROUP_METADATA_BYTES
        });
        self.followers = fitting.cloned().collect();
        for follower in &self.followers {
            *follower.state.borrow_mut() = State::Sent;
        }
    }

    fn is_waiting_peer(&self, other: &PendingCall) -> bool {
        other.is_waiting() && other.is_peer(&self.call.tenant, &self.call.options)
    }
}

impl Drop for Membership<'_> {
    fn drop(&mut self) {
        let unanswered = |follower: &&Rc<PendingCall>| matches!(*follower.state.borrow(), State::Sent);
        for follower in self.followers.iter().filter(unanswered) {
            let error = "the request that sent the group was dropped";
            follower.wake(State::Answered(Err(StoreError::Unavailable(error.into()))));
        }
        let is_own = |call: &Rc<PendingCall>| Rc::ptr_eq(call, &self.call);
        let mut calls = self.calls.borrow_mut();
        calls.retain(|call| !is_own(call));
        if self.call.is_leading()
            && let Some(next) = calls.iter().find(|call| self.is_waiting_peer(call))
        {
            next.wake(State::Leading);
        }
    }
}
