//! Log lines as JSON: one object for each event.

use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::GUEST_TARGET;

/// The field with the text of an event.
const MESSAGE: &str = "message";
const LEVEL: &str = "level";

/// Formats an event as `{"timestamp": …, "level": …, "target": …, …its fields}`.
///
/// If a guest prints a JSON object, its members become members of the line, so that they can be searched like
/// those of the host. Its `level` becomes the level of the line. A member of the host replaces a member of
/// the guest with the same name.
pub(super) struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let mut fields = EventFields::default();
        event.record(&mut fields);
        let meta = event.metadata();
        let mut line = guest_object(meta.target(), &mut fields.0).unwrap_or_default();
        line.entry(LEVEL)
            .or_insert_with(|| meta.level().as_str().to_ascii_lowercase().into());
        line.insert("target".to_owned(), meta.target().into());
        line.append(&mut fields.0);
        line.remove("timestamp");
        // The timestamp comes first, because people expect it at the beginning of a line.
        let rest = Value::Object(line).to_string();
        writeln!(
            writer,
            "{{\"timestamp\":{},{}",
            Value::from(timestamp),
            rest.trim_start_matches('{')
        )
    }
}

/// Removes the text of a guest from the fields of an event and returns it, if it is a JSON object.
fn guest_object(target: &str, fields: &mut Map<String, Value>) -> Option<Map<String, Value>> {
    if target != GUEST_TARGET {
        return None;
    }
    let object = serde_json::from_str(fields.get(MESSAGE)?.as_str()?).ok()?;
    fields.remove(MESSAGE);
    Some(object)
}

/// The fields of one event.
#[derive(Default)]
struct EventFields(Map<String, Value>);

impl EventFields {
    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for EventFields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, format!("{value:?}"));
    }
}
