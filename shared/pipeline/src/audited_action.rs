//! The administrative action that a request asks for.

use std::cell::RefCell;

use leaderboard_api::{PathParams, Permission};
use leaderboard_core::ports::AuditRecord;

use crate::route::RouteHead;

/// An administrative action that a request asks for. The handler calls [`crate::audit::record_audit_event`] after it has checked the
/// request and before it changes anything.
#[derive(Debug)]
pub struct AuditedAction<'a> {
    pub(crate) method: &'static str,
    pub(crate) route: &'static str,
    pub(crate) parameters: &'a PathParams<'a>,
    /// Whether the action concerns the whole installation. If so, its record is in the operator's log.
    pub(crate) is_operators: bool,
    /// Whether the action works while the store is out of memory.
    pub(crate) frees_memory: bool,
    pub(crate) recorded: RefCell<Option<RecordedAction>>,
}

/// The record of an action.
#[derive(Debug)]
pub(crate) struct RecordedAction {
    pub record: AuditRecord,
    /// The position in the log; `None` if the action frees memory and the store had no memory for its record.
    pub position: Option<u64>,
}

impl<'a> AuditedAction<'a> {
    /// Returns the action of a request, or `None` if its route is not administrative.
    pub fn of(route: &RouteHead, parameters: &'a PathParams<'a>) -> Option<Self> {
        route.is_administrative().then(|| Self {
            method: route.verb.name(),
            route: route.pattern,
            parameters,
            is_operators: route.permission == Permission::Operator,
            frees_memory: route.frees_memory,
            recorded: RefCell::default(),
        })
    }
}
