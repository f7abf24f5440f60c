//! The log on standard error, as JSON or as text for people.

mod json;

use std::str::FromStr;

use tracing_subscriber::EnvFilter;

/// The environment variable that selects what is logged, such as `info,leaderboard_host=debug`.
pub const FILTER_VARIABLE: &str = "LEADERBOARD_HOST_LOG";

/// The log target of lines that guests print.
pub(crate) const GUEST_TARGET: &str = "guest";

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// A JSON object in each line.
    Json,
    /// Text for people.
    Text,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err("expected json or text".to_owned()),
        }
    }
}

/// Writes the log of this process to standard error. Only the first call in a process has an effect.
///
/// With [`LogFormat::Json`], a panic is also a line of the log, so that standard error contains only JSON.
pub fn init(format: LogFormat) {
    let filter = EnvFilter::try_from_env(FILTER_VARIABLE).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let result = match format {
        LogFormat::Json => {
            std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
            builder.event_format(json::JsonLine).try_init()
        }
        LogFormat::Text => builder
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .try_init(),
    };
    if result.is_err() {
        tracing::debug!("logging was set up before");
    }
}

/// Writes the reason why the process ends, as a line of the log or as text for people.
pub fn failure(format: LogFormat, reason: &dyn std::fmt::Display) {
    match format {
        LogFormat::Json => tracing::error!("{reason}"),
        LogFormat::Text => eprintln!("error: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};

    use super::*;

    /// Returns the lines that are logged while `log` runs.
    fn collect_log(log: impl FnOnce()) -> Vec<Value> {
        #[derive(Clone, Default)]
        struct Memory(Arc<Mutex<Vec<u8>>>);
        impl std::io::Write for Memory {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let memory = Memory::default();
        let writer = memory.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .event_format(json::JsonLine)
            .finish();
        tracing::subscriber::with_default(subscriber, log);
        let bytes = memory.0.lock().unwrap();
        let lines = std::str::from_utf8(&bytes).unwrap().lines();
        lines
            .map(|line| {
                assert!(line.starts_with("{\"timestamp\":\"20"), "{line}");
                let mut line: Value = serde_json::from_str(line).expect(line);
                line.as_object_mut().unwrap().remove("timestamp").unwrap();
                line
            })
            .collect()
    }

    #[test]
    fn an_event_of_the_host_is_an_object_with_its_fields() {
        let lines = collect_log(|| {
            tracing::warn!(target: "t", path = "/a\"b", count = 3_u64, error = %"two\nlines", "it {}", "failed");
        });
        assert_eq!(
            lines,
            [
                json!({"level": "warn", "target": "t", "message": "it failed", "path": "/a\"b", "count": 3, "error": "two\nlines"})
            ]
        );
    }

    #[test]
    fn members_of_a_guest_s_json_line_are_fields_and_other_lines_are_messages() {
        let print = |text: &str| {
            tracing::info!(target: GUEST_TARGET, component = "ranks", stream = "stderr", "{text}");
        };
        let lines = collect_log(|| {
            print(r#"{"level":"error","status":503,"component":"mine","timestamp":"mine","message":"m"}"#);
            print(r#"{"status":200}"#);
            print("thread panicked at \"x\"");
            print("[1]");
            print(r#"{"cut off"#);
        });
        let guest_line = |rest: Value| {
            let mut line =
                json!({"level": "info", "target": "guest", "component": "ranks", "stream": "stderr"});
            line.as_object_mut()
                .unwrap()
                .extend(rest.as_object().unwrap().clone());
            line
        };
        let expected = [
            json!({"level": "error", "status": 503, "message": "m"}),
            json!({"status": 200}),
            json!({"message": "thread panicked at \"x\""}),
            json!({"message": "[1]"}),
            json!({"message": "{\"cut off"}),
        ];
        assert_eq!(lines, expected.map(guest_line));
    }

    #[test]
    fn a_json_message_of_the_host_stays_a_message() {
        let lines = collect_log(|| tracing::info!(target: "t", "{}", r#"{"a":1}"#));
        assert_eq!(
            lines,
            [json!({"level": "info", "target": "t", "message": r#"{"a":1}"#})]
        );
    }
}
