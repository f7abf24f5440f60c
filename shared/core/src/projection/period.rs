//! The entries of one period of a projection: those of a snapshot, and those that changed since.

use std::collections::HashMap;

use super::kept::KeptEntries;
use crate::{Entry, Layout, Period, PlayerId, Values};

/// The entries of a period, including those of banned players.
#[derive(Debug)]
pub(super) struct ProjectedPeriod {
    /// The period, by the schedule at the time of its first score.
    pub(super) period: Period,
    pub(super) layout: Layout,
    /// The position of the last event that changed the entries.
    pub(super) version: u64,
    /// The entries of the snapshot that the projection began with.
    pub(super) kept: KeptEntries,
    /// The players whose entries changed since the snapshot.
    pub(super) changed: HashMap<PlayerId, ChangedEntry>,
}

/// The entry of a player after a change.
#[derive(Debug)]
pub(super) struct ChangedEntry {
    /// The index of the player's entry in the snapshot, if the snapshot has one.
    pub(super) replaces: Option<usize>,
    /// The entry; `None` if it was removed.
    pub(super) entry: Option<Entry>,
}

impl ProjectedPeriod {
    /// Creates a period without entries.
    pub(super) fn new(period: Period, layout: Layout) -> Self {
        Self {
            period,
            layout,
            version: 0,
            kept: KeptEntries::default(),
            changed: HashMap::new(),
        }
    }

    /// Returns a player's entry.
    pub(super) fn find(&self, player: &PlayerId) -> Option<Entry> {
        match self.changed.get(player) {
            Some(changed) => changed.entry.clone(),
            None => self
                .kept
                .read(self.kept.find(&self.layout, player)?, &self.layout),
        }
    }

    /// Returns whether a player has an entry.
    pub(super) fn contains(&self, player: &PlayerId) -> bool {
        match self.changed.get(player) {
            Some(changed) => changed.entry.is_some(),
            None => self.kept.find(&self.layout, player).is_some(),
        }
    }

    /// Returns the players with an entry.
    pub(super) fn players(&self) -> Vec<PlayerId> {
        let changed = self.changed.values().filter_map(|changed| changed.entry.as_ref());
        let mut players: Vec<_> = changed.map(|entry| entry.player.clone()).collect();
        let kept = (0..self.kept.len()).filter_map(|index| self.kept.read(index, &self.layout));
        let unchanged = kept.filter(|entry| !self.changed.contains_key(&entry.player));
        players.extend(unchanged.map(|entry| entry.player));
        players
    }

    /// Returns a player's entry for a change. If the change fails, the entry is as it was.
    pub(super) fn change(&mut self, player: &PlayerId) -> &mut Option<Entry> {
        let (kept, layout) = (&self.kept, &self.layout);
        let changed = self.changed.entry(player.clone()).or_insert_with(|| {
            let replaces = kept.find(layout, player);
            ChangedEntry {
                replaces,
                entry: replaces.and_then(|index| kept.read(index, layout)),
            }
        });
        &mut changed.entry
    }

    /// Returns whether there are no entries.
    pub(super) fn is_empty(&self) -> bool {
        let replaced = self.changed.values().filter(|changed| changed.replaces.is_some());
        replaced.count() == self.kept.len() && self.changed.values().all(|changed| changed.entry.is_none())
    }

    /// Puts the entries into another order. Columns are matched by name; the value of a new column is 0.
    pub(super) fn convert(&mut self, layout: Layout) {
        for index in 0..self.kept.len() {
            if let Some(entry) = self.kept.read(index, &self.layout) {
                let player = entry.player.clone();
                let entry = Some(entry);
                self.changed.entry(player).or_insert(ChangedEntry {
                    replaces: None,
                    entry,
                });
            }
        }
        self.kept = KeptEntries::default();
        for changed in self.changed.values_mut() {
            changed.replaces = None;
            if let Some(entry) = &mut changed.entry {
                entry.values = convert_values(&self.layout, &layout, &entry.values);
            }
        }
        self.layout = layout;
    }
}

/// Returns the values for the columns of another layout, by their names. The value of a new column is 0.
pub(crate) fn convert_values(from: &Layout, to: &Layout, values: &Values) -> Values {
    let value_of = |name: &str| {
        let mut named = from.columns.iter().zip(values.as_slice());
        let found = named.find(|(column, _)| column.name() == name);
        found.map_or(0, |(_, value)| *value)
    };
    Values::new(to.columns.iter().map(|column| value_of(column.name())).collect())
}
