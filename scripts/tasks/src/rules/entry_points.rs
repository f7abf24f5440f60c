//! A function names the SDK for the macro of its entry point, never for a call.

use super::Violation;
use super::tidiness::SourceFile;

const SDK: &str = "spin_sdk";
/// How a function may name the SDK: the macros of the entry points and the types in their signatures.
const ENTRY_POINTS: [&str; 4] = [
    "spin_sdk::http_service",
    "spin_sdk::redis_subscriber",
    "spin_sdk::http::Request",
    "spin_sdk::http::IntoResponse",
];

/// Every line of a function that names the SDK for something else.
pub(super) fn check(files: &[SourceFile]) -> Vec<Violation> {
    files
        .iter()
        .filter(|file| file.is_of_a_function())
        .flat_map(of_a_file)
        .collect()
}

fn of_a_file(file: &SourceFile) -> Vec<Violation> {
    file.lines_with("entry-point", |line| {
        let code = line.split("//").next().unwrap_or_default();
        let entry_points: usize = ENTRY_POINTS.iter().map(|name| code.matches(name).count()).sum();
        (code.matches(SDK).count() > entry_points).then(|| {
            "only leaderboard-spin calls spin-sdk; a function names its entry-point macro".to_owned()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&[SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        }])
        .len()
    }

    #[test]
    fn the_macro_is_fine_and_a_call_is_not() {
        let path = "functions/ops/src/lib.rs";
        assert_eq!(count(path, "#[spin_sdk::http_service]"), 0);
        assert_eq!(
            count(path, "use spin_sdk::http_service; // not spin_sdk::redis"),
            0
        );
        assert_eq!(
            count(path, "let store = spin_sdk::key_value::Store::open_default();"),
            1
        );
        assert_eq!(count(path, "use spin_sdk::{http_service, redis};"), 1);
        assert_eq!(
            count("shared/spin/src/lib.rs", "spin_sdk::variables::get(\"x\")"),
            0
        );
    }
}
