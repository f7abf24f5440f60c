//! A key-value store in memory.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use leaderboard_core::StoreError;
use leaderboard_core::ports::Cache;

/// A region's key-value store in memory. Tests can make it fail and damage its values.
#[derive(Default)]
pub(crate) struct KeyValue {
    pub(crate) entries: RefCell<BTreeMap<String, Vec<u8>>>,
    /// Whether all commands fail.
    pub(crate) down: Cell<bool>,
    /// Whether the next read of a cached response fails.
    pub(crate) fails_once: Cell<bool>,
    /// Whether other tasks run between a read and its result.
    pub(crate) takes_time: Cell<bool>,
    /// How many reads there were.
    pub(crate) gets: Cell<u32>,
    /// How many reads of slots of cached documents there were.
    pub(crate) slot_reads: Cell<u32>,
    /// A key, and the value that another instance puts right after the next put of this key.
    pub(crate) overwrites: RefCell<Option<(String, Vec<u8>)>>,
    /// How often a leaderboard's configuration was read, put or deleted.
    pub(crate) configurations: Cell<u32>,
    /// How many cached responses, leases and tombstones were put.
    pub(crate) puts: Cell<u32>,
    /// How many deletions there were, also of keys that did not exist.
    pub(crate) deletes: Cell<u32>,
}

impl KeyValue {
    /// Returns the keys with this prefix.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        let entries = self.entries.borrow();
        entries
            .keys()
            .filter(|key| key.starts_with(prefix))
            .cloned()
            .collect()
    }

    /// Replaces all values with bytes that the service never writes.
    pub(crate) fn damage(&self) {
        for value in self.entries.borrow_mut().values_mut() {
            *value = b"\xff\xffnonsense".to_vec();
        }
    }

    fn count_configuration(&self, key: &str) {
        if key.starts_with("configuration:") {
            self.configurations.set(self.configurations.get() + 1);
        }
    }

    /// Returns the entries, or an error if the key-value store is down.
    fn entries_if_up(&self) -> Result<&RefCell<BTreeMap<String, Vec<u8>>>, StoreError> {
        if self.down.get() {
            Err(StoreError::Unavailable("the disk is full".into()))
        } else {
            Ok(&self.entries)
        }
    }
}

impl Cache for KeyValue {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.count_configuration(key);
        if self.takes_time.get() {
            turn().await;
        }
        self.gets.set(self.gets.get() + 1);
        if key.starts_with("documents:") {
            self.slot_reads.set(self.slot_reads.get() + 1);
        }
        if key.starts_with("response:") && self.fails_once.take() {
            return Err(StoreError::Unavailable("it took too long".into()));
        }
        Ok(self.entries_if_up()?.borrow().get(key).cloned())
    }

    async fn put(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.count_configuration(key);
        let about_responses = ["response:", "lease:", "changed:", "void:"];
        if about_responses.iter().any(|kind| key.starts_with(kind)) {
            self.puts.set(self.puts.get() + 1);
        }
        self.entries_if_up()?
            .borrow_mut()
            .insert(key.to_owned(), value.to_vec());
        if let Some((key, value)) = self
            .overwrites
            .borrow_mut()
            .take_if(|(overwritten, _)| overwritten == key)
        {
            self.entries_if_up()?.borrow_mut().insert(key, value);
        }
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.count_configuration(key);
        self.deletes.set(self.deletes.get() + 1);
        self.entries_if_up()?.borrow_mut().remove(key);
        Ok(())
    }
}

/// Lets other tasks run once.
pub(crate) async fn turn() {
    let mut polled = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut polled, true) {
            std::task::Poll::Ready(())
        } else {
            context.waker().wake_by_ref();
            std::task::Poll::Pending
        }
    })
    .await;
}
