//! What `up` says once everything runs.

use super::{Settings, key, programs};
use crate::process::quote;

/// The sample's all-time leaderboard.
pub(super) const LEADERBOARD: &str = "goals";
/// A player of it to look around, as a segment of a path: Cristiano Ronaldo (Portugal).
const PLAYER: &str = "Cristiano%20Ronaldo%20%28Portugal%29";

/// The address, the key and the log: said as soon as requests are answered.
pub(super) fn head(settings: &Settings) -> String {
    let (address, store) = (settings.address(), settings.store());
    let key = match &settings.key.kept_in {
        Some(file) => format!("{} (kept in {})", settings.key.secret, file.display()),
        // A key of the caller's own is not repeated on the screen.
        None => format!("that of {}", key::ADMIN_VARIABLE),
    };
    let mut text = format!(
        "\nEdgeboard answers on {address} (store: {store}); Ctrl-C stops it.\n\
         Its API, to read and to try: {address}/docs\nAdmin key: {key}\n"
    );
    if !settings.spin {
        let file = programs::log_file(settings);
        text += &format!("Log (a JSON object on each line): {}\n", file.display());
    }
    text
}

/// Three requests to try.
pub(super) fn what_to_try(settings: &Settings, has_sample: bool) -> String {
    let base = format!("{}/api/v1/leaderboards", settings.address());
    let header = match &settings.key.kept_in {
        Some(_file) => quote(&format!("X-API-Key: {}", settings.key.secret)),
        None => format!("\"X-API-Key: ${}\"", key::ADMIN_VARIABLE),
    };
    let headers = format!("-H {header} -H 'Content-Type: application/json'");
    let submission = "-d '{\"player\": \"you\", \"score\": 1}'";
    let (goals, demo) = (format!("{base}/{LEADERBOARD}"), format!("{base}/demo"));
    let lines = if has_sample {
        [
            format!("curl '{goals}/entries?limit=10'"),
            format!("curl '{goals}/entries/{PLAYER}/around?limit=5'"),
            format!("curl {goals}/scores {headers} {submission}"),
        ]
    } else {
        [
            format!("curl -X PUT {demo} {headers} -d '{{\"title\": \"Demo\"}}'"),
            format!("curl {demo}/scores {headers} {submission}"),
            format!("curl '{demo}/entries?limit=10'"),
        ]
    };
    format!("Try:\n  {}\n", lines.join("\n  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_key_is_shown_with_its_file() {
        let mut settings = Settings::example();
        settings.listen = "0.0.0.0:3000".parse().unwrap();
        settings.key.kept_in = Some("/state/admin-key".into());
        let head = head(&settings);
        for part in [
            "http://127.0.0.1:3000 (store: embedded)",
            "http://127.0.0.1:3000/docs\n",
            "Admin key: hidden (kept in /state/admin-key)",
        ] {
            assert!(head.contains(part), "{head}");
        }
        let text = what_to_try(&settings, true);
        assert!(text.contains("-H 'X-API-Key: hidden'"));
        assert!(text.contains("/goals/entries/Cristiano%20Ronaldo%20%28Portugal%29/around?limit=5"));
    }

    #[test]
    fn a_key_of_the_callers_own_is_not_repeated() {
        let settings = Settings::example();
        let text = what_to_try(&settings, false);
        assert!(!text.contains("hidden") && !head(&settings).contains("hidden"));
        assert!(text.contains("-H \"X-API-Key: $SPIN_VARIABLE_ADMIN_KEY\""));
        assert!(text.contains("curl -X PUT http://127.0.0.1:3000/api/v1/leaderboards/demo"));
    }
}
