//! The events of a stream (the HTML standard, section "Server-sent events").

use bytes::Bytes;
use leaderboard_api::Problem;
use leaderboard_api::json::ExactUnsigned;
use leaderboard_api::wire::live::{ChangeBody, OwnEntryBody, SnapshotBody, period_body, raw_text};
use serde_json::value::RawValue;

use crate::change::find_changed_places;
use crate::poll::Topic;
use crate::view::{OwnEntry, Shown, View};

/// The beginning of every stream: after how many milliseconds a client resumes.
pub const HELLO: &str = "retry: 1000\n";
/// What a client gets that has the state now already.
pub const RESUMED: &str = ": resumed\n\n";
/// The comment of a stream that would be silent.
pub(crate) const HEARTBEAT: &str = ": \n\n";

const SNAPSHOT: &str = "snapshot";
const PERIOD: &str = "period";
const CHANGE: &str = "change";

impl Topic {
    /// Returns the event with the whole state.
    ///
    /// # Errors
    /// An internal problem when the state cannot be written.
    pub fn snapshot(&self, shown: &Shown) -> Result<String, Problem> {
        self.whole(SNAPSHOT, shown)
    }

    fn whole(&self, name: &str, shown: &Shown) -> Result<String, Problem> {
        let view = &shown.view;
        let entries: Vec<&RawValue> = view.rows.iter().map(|row| &*row.text).collect();
        let body = SnapshotBody {
            leaderboard: self.leaderboard.as_str(),
            period: period_body(&view.period),
            version: ExactUnsigned(view.version),
            count: view.count,
            entries: &entries,
            own: shown.own.as_deref().map(own_body),
        };
        Ok(format_event(name, shown, &raw_text(&body, self.integers)?))
    }
}

fn own_body(own: &OwnEntry) -> OwnEntryBody<'_> {
    OwnEntryBody {
        version: ExactUnsigned(own.version),
        entry: own.row.as_ref().map(|row| &*row.text),
    }
}

fn format_event(name: &str, shown: &Shown, data: &RawValue) -> String {
    // The data is compact JSON, so it has no line break.
    format!("id: {}\nevent: {name}\ndata: {data}\n\n", shown.id())
}

/// The events of one poll. Streams that have shown the same view share what changed since then.
pub(crate) struct EventWriter<'t> {
    topic: &'t Topic,
    /// The changed places since older views, by their digests; `None` where the whole view is shorter.
    places: Vec<(String, Option<Box<RawValue>>)>,
}

impl<'t> EventWriter<'t> {
    pub(crate) const fn new(topic: &'t Topic) -> Self {
        Self {
            topic,
            places: Vec::new(),
        }
    }

    /// Returns the event that takes a client from one state to another.
    ///
    /// # Errors
    /// An internal problem when the event cannot be written.
    pub(crate) fn write(&mut self, from: &Shown, to: &Shown) -> Result<Bytes, Problem> {
        let topic = self.topic;
        if from.view.period.id != to.view.period.id {
            return topic.whole(PERIOD, to).map(Bytes::from);
        }
        let Some(places) = self.changed_places(&from.view, &to.view)? else {
            return topic.snapshot(to).map(Bytes::from);
        };
        let body = ChangeBody {
            version: ExactUnsigned(to.view.version),
            count: to.view.count,
            size: to.view.rows.len(),
            places,
            own: match &to.own {
                Some(own) if !from.own_shows_the_same(to) => Some(own_body(own)),
                _ => None,
            },
        };
        let data = raw_text(&body, topic.integers)?;
        Ok(Bytes::from(format_event(CHANGE, to, &data)))
    }

    /// Returns the changed places as JSON; `None` if all entries are shorter.
    fn changed_places(&mut self, from: &View, to: &View) -> Result<Option<&RawValue>, Problem> {
        let known = self.places.iter().position(|(digest, _)| digest == from.digest());
        let index = match known {
            Some(index) => index,
            None => {
                let changed = find_changed_places(&from.rows, &to.rows);
                let text = raw_text(&changed, self.topic.integers)?;
                let is_shorter = changed.is_empty() || text.get().len() < to.text_bytes();
                self.places
                    .push((from.digest().to_owned(), is_shorter.then_some(text)));
                self.places.len() - 1
            }
        };
        Ok(self.places.get(index).and_then(|(_, places)| places.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use leaderboard_api::{ApiVersion, IntegerFormat};
    use leaderboard_core::{LeaderboardId, Period, PeriodId, PeriodSelector, TenantId};
    use serde_json::{Value, json};

    use super::*;
    use crate::change::tests::{row, rows};

    fn topic() -> Topic {
        Topic {
            tenant: TenantId::new("acme").unwrap(),
            leaderboard: LeaderboardId::new("goals").unwrap(),
            period: PeriodSelector::Current,
            top: 3,
            version: ApiVersion::V1,
            integers: IntegerFormat::default(),
            viewer: None,
        }
    }

    fn shown(version: u64, scores: &[(&str, i64)], own: Option<(&str, i64)>) -> Shown {
        let view = View::new(Period::all_time(), (version, 9), rows(scores), true);
        Shown {
            view: Rc::new(view),
            own: own.map(|(player, score)| Rc::new(OwnEntry::new(version, Some(row(7, player, score))))),
        }
    }

    /// Returns the name and the data of an event.
    fn parse(event: &[u8]) -> (String, Value) {
        let text = std::str::from_utf8(event).unwrap();
        let lines: Vec<&str> = text.strip_suffix("\n\n").unwrap().split('\n').collect();
        let [id, name, data] = lines[..] else {
            panic!("{text}")
        };
        assert!(id.starts_with("id: "), "{text}");
        let name = name.strip_prefix("event: ").unwrap().to_owned();
        (
            name,
            serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap(),
        )
    }

    fn write(from: &Shown, to: &Shown) -> (String, Value) {
        parse(&EventWriter::new(&topic()).write(from, to).unwrap())
    }

    #[test]
    fn a_change_has_the_places_and_the_own_entry_that_changed() {
        let from = shown(1, &[("a", 9), ("b", 8), ("c", 7)], Some(("z", 1)));
        let to = shown(2, &[("a", 10), ("b", 8), ("c", 7)], Some(("z", 1)));
        let (name, data) = write(&from, &to);
        assert_eq!((name.as_str(), &data["places"][0]["at"]), ("change", &json!(0)));
        assert_eq!((data["size"].as_u64(), data.get("own")), (Some(3), None));
        let own = shown(3, &[("a", 10), ("b", 8), ("c", 7)], Some(("z", 2)));
        let (name, data) = write(&to, &own);
        assert_eq!((name.as_str(), &data["places"]), ("change", &json!([])));
        assert_eq!(data["own"]["entry"]["values"]["score"], 2);
    }

    #[test]
    fn a_state_that_has_little_in_common_is_sent_whole() {
        let from = shown(1, &[("a", 9), ("b", 8)], None);
        let (name, data) = write(&from, &shown(2, &[("c", 9), ("d", 8)], None));
        assert_eq!(
            (name.as_str(), data["entries"].as_array().unwrap().len()),
            ("snapshot", 2)
        );
    }

    #[test]
    fn another_period_is_sent_whole() {
        let from = shown(1, &[("a", 9)], None);
        let period = Period {
            id: PeriodId::parse("2026-11-09T00:00:00Z").unwrap(),
            ..Period::all_time()
        };
        let to = Shown {
            view: Rc::new(View::new(period, (0, 0), Vec::new(), true)),
            own: None,
        };
        let (name, data) = write(&from, &to);
        assert_eq!((name.as_str(), &data["entries"]), ("period", &json!([])));
    }

    #[test]
    fn the_id_depends_on_what_is_shown_and_not_on_the_version() {
        let one = shown(1, &[("a", 9)], Some(("z", 1)));
        assert_eq!(one.id(), shown(2, &[("a", 9)], Some(("z", 1))).id());
        assert_ne!(one.id(), shown(1, &[("a", 8)], Some(("z", 1))).id());
        assert_ne!(one.id(), shown(1, &[("a", 9)], Some(("z", 2))).id());
        assert_ne!(one.id(), shown(1, &[("a", 9)], None).id());
    }
}
