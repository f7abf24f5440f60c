//! Group commit: the submissions that arrive in an instance before a transaction begins are applied together in it, with one flush
//! to the disk. Each call keeps its own charge, outcomes and refusals.

use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use leaderboard_core::ports::{SubmitOptions, Submitted};
use leaderboard_core::{PreparedSubmission, StoreError, TenantId};

use crate::submit::SubmitCall;

/// How many submissions one transaction applies, so that a large call does not block other writers until its end. If a call fails
/// after some of its transactions, the same call with the same ids applies the rest.
pub(crate) const MAX_SUBMISSIONS_PER_TRANSACTION: usize = 128;

/// A call that waits for a transaction.
#[derive(Debug)]
pub(crate) struct WaitingCall {
    pub(crate) tenant: TenantId,
    submissions: Vec<PreparedSubmission>,
    options: SubmitOptions,
    result: RefCell<Option<Result<Submitted, StoreError>>>,
    /// Wakes the request of this call when it is dropped.
    waker: RefCell<Option<Box<dyn Any>>>,
}

impl WaitingCall {
    pub(crate) fn as_call(&self) -> SubmitCall<'_> {
        SubmitCall {
            submissions: &self.submissions,
            options: &self.options,
        }
    }

    /// Returns whether this call and another one can be in one batch.
    fn can_join(&self, other: &Self) -> bool {
        self.tenant == other.tenant && self.as_call().can_join(&other.as_call())
    }
}

/// The calls that wait for the next transaction, in the order of their arrival.
#[derive(Debug, Default)]
pub(crate) struct WaitingCalls(RefCell<VecDeque<Rc<WaitingCall>>>);

/// A place among the waiting calls. Dropping the place leaves them, also if the request ends early.
#[derive(Debug)]
pub(crate) struct WaitingPlace<'a> {
    calls: &'a WaitingCalls,
    call: Rc<WaitingCall>,
}

impl WaitingCalls {
    /// Adds a call.
    pub(crate) fn join(
        &self,
        tenant: &TenantId,
        submissions: &[PreparedSubmission],
        options: &SubmitOptions,
    ) -> WaitingPlace<'_> {
        let call = Rc::new(WaitingCall {
            tenant: tenant.clone(),
            submissions: submissions.to_vec(),
            options: options.clone(),
            result: RefCell::new(None),
            waker: RefCell::new(None),
        });
        self.0.borrow_mut().push_back(Rc::clone(&call));
        WaitingPlace { calls: self, call }
    }

    /// Takes the calls that the next transaction applies: the first ones, up to [`MAX_SUBMISSIONS_PER_TRANSACTION`] submissions.
    pub(crate) fn take_group(&self) -> Group {
        let mut waiting = self.0.borrow_mut();
        let mut submissions = 0_usize;
        let fits = |call: &&Rc<WaitingCall>| {
            submissions = submissions.saturating_add(call.submissions.len());
            submissions <= MAX_SUBMISSIONS_PER_TRANSACTION
        };
        let count = waiting.iter().take_while(fits).count();
        Group(waiting.drain(..count).collect())
    }
}

impl WaitingPlace<'_> {
    /// Returns whether this call leads the next group: no earlier call is waiting.
    pub(crate) fn is_first(&self) -> bool {
        let waiting = self.calls.0.borrow();
        waiting.front().is_some_and(|first| Rc::ptr_eq(first, &self.call))
    }

    /// Sets what wakes this request, when dropped: when the call has a result, or when it leads the next group.
    pub(crate) fn set_waker(&self, waker: Box<dyn Any>) {
        *self.call.waker.borrow_mut() = Some(waker);
    }

    /// Returns the result, if there is one.
    pub(crate) fn take_result(&self) -> Option<Result<Submitted, StoreError>> {
        self.call.result.borrow_mut().take()
    }
}

impl Drop for WaitingPlace<'_> {
    fn drop(&mut self) {
        let mut waiting = self.calls.0.borrow_mut();
        waiting.retain(|call| !Rc::ptr_eq(call, &self.call));
        // The first call may have been dropped before its group began.
        if let Some(next) = waiting.front() {
            next.waker.take();
        }
    }
}

/// The calls of one transaction.
#[derive(Debug)]
pub(crate) struct Group(Vec<Rc<WaitingCall>>);

impl Group {
    /// Returns the calls.
    pub(crate) fn calls(&self) -> &[Rc<WaitingCall>] {
        &self.0
    }

    /// Returns the calls as batches: consecutive calls of one tenant with the same quotas.
    pub(crate) fn batches(&self) -> impl Iterator<Item = &[Rc<WaitingCall>]> {
        self.0.chunk_by(|one, next| one.can_join(next))
    }

    /// Gives each call its result, in the order of the calls.
    pub(crate) fn answer(&self, results: impl IntoIterator<Item = Result<Submitted, StoreError>>) {
        for (call, result) in self.0.iter().zip(results) {
            *call.result.borrow_mut() = Some(result);
            call.waker.take();
        }
    }

    /// Gives all calls the same error.
    pub(crate) fn answer_all(&self, error: &StoreError) {
        self.answer(self.0.iter().map(|_| Err(error.clone())));
    }
}
