//! A region's key-value store in memory.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use leaderboard_core::StoreError;
use leaderboard_core::ports::Cache;

/// A region's key-value store in memory, which tests break and damage.
#[derive(Default)]
pub(crate) struct KeyValue {
    pub(crate) entries: RefCell<BTreeMap<String, Vec<u8>>>,
    pub(crate) down: Cell<bool>,
    /// Whether the next read of a response fails.
    pub(crate) fails_once: Cell<bool>,
    /// Whether other tasks go on between a read and its result.
    pub(crate) takes_time: Cell<bool>,
    /// How often a key was read.
    pub(crate) gets: Cell<u32>,
    /// How often a slot of documents was read.
    pub(crate) slot_reads: Cell<u32>,
    /// What another instance puts right after the next put of the key.
    pub(crate) overwrites: RefCell<Option<(String, Vec<u8>)>>,
    /// How often a configuration was read, put or deleted.
    pub(crate) configurations: Cell<u32>,
    /// How often something about responses was put.
    pub(crate) puts: Cell<u32>,
    /// How often a key was deleted, there or not.
    pub(crate) deletes: Cell<u32>,
}

impl KeyValue {
    /// Returns the keys that begin so.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        let entries = self.entries.borrow();
        entries
            .keys()
            .filter(|key| key.starts_with(prefix))
            .cloned()
            .collect()
    }

    /// Replaces the content of all keys by bytes that the product never writes.
    pub(crate) fn damage(&self) {
        for value in self.entries.borrow_mut().values_mut() {
            *value = b"\xff\xffnonsense".to_vec();
        }
    }

    fn count(&self, key: &str) {
        if key.starts_with("configuration:") {
            self.configurations.set(self.configurations.get() + 1);
        }
    }

    fn up(&self) -> Result<&RefCell<BTreeMap<String, Vec<u8>>>, StoreError> {
        if self.down.get() {
            Err(StoreError::Unavailable("the disk is full".into()))
        } else {
            Ok(&self.entries)
        }
    }
}

impl Cache for KeyValue {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.count(key);
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
        Ok(self.up()?.borrow().get(key).cloned())
    }

    async fn put(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.count(key);
        let about_responses = ["response:", "lease:", "changed:", "void:"];
        if about_responses.iter().any(|kind| key.starts_with(kind)) {
            self.puts.set(self.puts.get() + 1);
        }
        self.up()?.borrow_mut().insert(key.to_owned(), value.to_vec());
        if let Some((key, late)) = self.overwrites.borrow_mut().take_if(|(late, _)| late == key) {
            self.up()?.borrow_mut().insert(key, late);
        }
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.count(key);
        self.deletes.set(self.deletes.get() + 1);
        self.up()?.borrow_mut().remove(key);
        Ok(())
    }
}

/// Lets other tasks go on.
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
