//! The texts that `up` prints when everything runs.

use super::{Settings, key, programs};
use crate::process::quote;

/// The all-time leaderboard of the sample data.
pub(super) const LEADERBOARD: &str = "goals";
/// A player of this leaderboard for an example, encoded for a path: Cristiano Ronaldo (Portugal).
const PLAYER: &str = "Cristiano%20Ronaldo%20%28Portugal%29";

/// Returns a text with the address, the key and the log file. It is printed as soon as the server answers
/// requests.
pub(super) fn describe_server(settings: &Settings) -> String {
    let (address, store) = (settings.address(), settings.store());
    let key = match &settings.key.kept_in {
        Some(file) => format!("{} (kept in {})", settings.key.secret, file.display()),
        // A key that the caller has set in the environment is not shown on the screen.
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

/// Returns a text with three example requests.
pub(super) fn describe_requests(settings: &Settings, has_sample: bool) -> String {
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
        let text = describe_server(&settings);
        for part in [
            "http://127.0.0.1:3000 (store: embedded)",
            "http://127.0.0.1:3000/docs\n",
            "Admin key: hidden (kept in /state/admin-key)",
        ] {
            assert!(text.contains(part), "{text}");
        }
        let text = describe_requests(&settings, true);
        assert!(text.contains("-H 'X-API-Key: hidden'"));
        assert!(text.contains("/goals/entries/Cristiano%20Ronaldo%20%28Portugal%29/around?limit=5"));
    }

    #[test]
    fn a_key_from_the_environment_is_not_shown() {
        let settings = Settings::example();
        let text = describe_requests(&settings, false);
        assert!(!text.contains("hidden") && !describe_server(&settings).contains("hidden"));
        assert!(text.contains("-H \"X-API-Key: $SPIN_VARIABLE_ADMIN_KEY\""));
        assert!(text.contains("curl -X PUT http://127.0.0.1:3000/api/v1/leaderboards/demo"));
    }
}
