//! Whether a store can serve requests, and how its server is configured.

use crate::StoreError;

/// A setting of the store's server on which the safety of data or the correctness of results depends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingCheck {
    /// The name of the setting in the server's configuration.
    pub setting: &'static str,
    /// The value that the setting should have.
    pub wanted: &'static str,
    /// The value that the setting has; `None` if this client has no permission to read it.
    pub found: Option<String>,
}

impl SettingCheck {
    /// Returns whether the setting is known to have a wrong value.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.found.as_deref().is_some_and(|found| found != self.wanted)
    }
}

/// Whether a store can serve requests, and how its server is configured.
pub trait Readiness {
    /// Checks that the store answers.
    ///
    /// # Errors
    /// [`StoreError`] if it does not.
    async fn check_ready(&self) -> Result<(), StoreError>;

    /// Returns the checked settings of the store's server; empty for a store without a server.
    ///
    /// # Errors
    /// [`StoreError`] if the store does not answer. A missing permission to read a setting is not an error.
    async fn check_settings(&self) -> Result<Vec<SettingCheck>, StoreError>;
}
