//! What `up` says once everything runs.

use super::client::Client;
use super::key;
use super::programs;
use super::sample;
use super::settings::Settings;
use crate::process::quote;

/// The address, the key and the log: said as soon as requests are answered.
pub(super) fn head(settings: &Settings) -> String {
    let address = Client::new(settings.listen, "").address();
    let key = match &settings.key.kept_in {
        Some(file) => format!("{} (kept in {})", settings.key.secret, file.display()),
        // A key of the caller's own is not repeated on the screen.
        None => format!("that of {}", key::VARIABLE),
    };
    let store = settings.store();
    let log = if settings.spin {
        String::new()
    } else {
        format!(
            "Log (a JSON object on each line): {}\n",
            programs::log_file(settings).display()
        )
    };
    format!(
        "\nEdgeboard answers on http://{address} (store: {store}); Ctrl-C stops it.\n\
         Its API, to read and to try: http://{address}/docs\nAdmin key: {key}\n{log}"
    )
}

/// Three requests to try.
pub(super) fn what_to_try(settings: &Settings, has_sample: bool) -> String {
    let address = Client::new(settings.listen, "").address();
    let base = format!("http://{address}/api/v1/leaderboards");
    let header = match &settings.key.kept_in {
        Some(_file) => quote(&format!("X-API-Key: {}", settings.key.secret)),
        None => format!("\"X-API-Key: ${}\"", key::VARIABLE),
    };
    let lines = if has_sample {
        of_the_sample(&base, &header)
    } else {
        of_an_empty_store(&base, &header)
    };
    format!("Try:\n{}\n", lines.map(|line| format!("  {line}")).join("\n"))
}

fn of_the_sample(base: &str, header: &str) -> [String; 3] {
    let goals = format!("{base}/{}", sample::LEADERBOARD);
    let player = percent_encode(sample::PLAYER);
    [
        format!("curl '{goals}/entries?limit=10'"),
        format!("curl '{goals}/entries/{player}/around?limit=5'"),
        submission(&goals, header),
    ]
}

fn of_an_empty_store(base: &str, header: &str) -> [String; 3] {
    let demo = format!("{base}/demo");
    [
        format!(
            "curl -X PUT {demo} -H {header} -H 'Content-Type: application/json' -d '{{\"title\": \"Demo\"}}'"
        ),
        submission(&demo, header),
        format!("curl '{demo}/entries?limit=10'"),
    ]
}

fn submission(leaderboard: &str, header: &str) -> String {
    let body = "{\"player\": \"you\", \"score\": 1}";
    format!("curl {leaderboard}/scores -H {header} -H 'Content-Type: application/json' -d '{body}'")
}

/// A text as one segment of a path (RFC 3986, section 2.1).
fn percent_encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::key::AdminKey;
    use super::*;

    fn settings(kept_in: Option<&str>) -> Settings {
        Settings {
            listen: "0.0.0.0:3000".parse().unwrap(),
            state_dir: "/state".into(),
            redis: None,
            sample: true,
            spin: false,
            key: AdminKey {
                secret: "abc".to_owned(),
                kept_in: kept_in.map(Into::into),
            },
            token_secret: String::new(),
        }
    }

    #[test]
    fn a_made_up_key_is_shown_with_its_place() {
        let settings = settings(Some("/state/admin-key"));
        let head = head(&settings);
        assert!(head.contains("http://127.0.0.1:3000 (store: embedded)"), "{head}");
        assert!(head.contains("http://127.0.0.1:3000/docs\n"), "{head}");
        assert!(
            head.contains("Admin key: abc (kept in /state/admin-key)"),
            "{head}"
        );
        let text = what_to_try(&settings, true);
        assert!(text.contains("-H 'X-API-Key: abc'"));
        assert!(text.contains("/goals/entries/Cristiano%20Ronaldo%20%28Portugal%29/around?limit=5"));
    }

    #[test]
    fn a_key_of_the_callers_own_is_not_repeated() {
        let text = what_to_try(&settings(None), false);
        assert!(!text.contains("abc") && !head(&settings(None)).contains("abc"));
        assert!(text.contains("-H \"X-API-Key: $SPIN_VARIABLE_ADMIN_KEY\""));
        assert!(text.contains("curl -X PUT http://127.0.0.1:3000/api/v1/leaderboards/demo"));
    }
}
