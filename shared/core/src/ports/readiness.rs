//! Whether a store answers, and how its server is set up.

use crate::StoreError;

/// A setting of the store's server that its data or its answers depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingCheck {
    /// The setting, as the server calls it.
    pub setting: &'static str,
    /// What it should be.
    pub wanted: &'static str,
    /// What it is; `None` when this client may not read it.
    pub found: Option<String>,
}

impl SettingCheck {
    /// Whether the setting is known to be another one than it should be.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.found.as_deref().is_some_and(|found| found != self.wanted)
    }
}

/// That a store answers, and how it is set up.
pub trait Readiness {
    /// Asks the store for a sign of life.
    ///
    /// # Errors
    /// [`StoreError`] when it gives none.
    async fn ready(&self) -> Result<(), StoreError>;

    /// The settings that the store's server should have; none for a store without a server.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer. A setting that may not be read is no error.
    async fn check_settings(&self) -> Result<Vec<SettingCheck>, StoreError>;
}
