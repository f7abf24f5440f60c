//! When a request is charged.

/// When, and by whom, a request is charged for the limits that apply to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charging {
    /// The request is not charged.
    Nothing,
    /// The instance charges the request and reports it to the store after the response.
    Locally,
    /// The store charges the request before the handler runs.
    BeforeHandler,
    /// The store charges the request in the same call that writes.
    InCall,
}
