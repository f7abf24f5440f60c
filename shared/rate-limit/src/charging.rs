//! When a request is charged.

/// How a request is charged with the limits that apply to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charging {
    /// Not at all.
    Nothing,
    /// By the instance, which tells the store after the response.
    Locally,
    /// By the store, before the handler.
    Before,
    /// By the store, in the call that does the work.
    InCall,
}
