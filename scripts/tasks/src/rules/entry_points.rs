//! A function names the SDK for its entry point, the macro and its types, never for a call.

use super::Violation;
use super::tidiness::SourceFile;

const SDK: &str = "spin_sdk::";
/// What a function may name, below `spin_sdk`.
const ENTRY_POINT: [&str; 4] = [
    "http_service",
    "redis_subscriber",
    "http::Request",
    "http::IntoResponse",
];

/// Every line of a function that names something else of the SDK.
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
        let other = names(code)
            .into_iter()
            .find(|name| !ENTRY_POINT.contains(&name.as_str()))?;
        Some(format!(
            "only leaderboard-spin calls spin-sdk; `{other}` is no part of an entry point"
        ))
    })
}

/// Everything below `spin_sdk` that a line names, one level of braces expanded.
fn names(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for rest in code.split(SDK).skip(1) {
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && !"_:".contains(c))
            .unwrap_or(rest.len());
        let (path, rest) = rest.split_at(end);
        match rest.strip_prefix('{') {
            Some(list) => {
                let list = list.split('}').next().unwrap_or_default();
                names.extend(list.split(',').map(|name| format!("{path}{}", name.trim())));
            }
            None => names.push(path.to_owned()),
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        let files = [SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        }];
        check(&files).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_macro_and_its_types_are_fine() {
        let text = "use spin_sdk::http::{IntoResponse, Request};\n#[spin_sdk::http_service]\n\
                    use spin_sdk::redis_subscriber; // not spin_sdk::redis\n";
        assert_eq!(found("functions/ops/src/lib.rs", text), Vec::<String>::new());
    }

    #[test]
    fn a_call_is_found() {
        assert_eq!(
            found(
                "functions/ops/src/lib.rs",
                "\nlet store = spin_sdk::key_value::Store::open_default();"
            ),
            [
                "entry-point: functions/ops/src/lib.rs:2: only leaderboard-spin calls spin-sdk; \
              `key_value::Store::open_default` is no part of an entry point"
            ]
        );
        assert_eq!(
            found("functions/ops/src/lib.rs", "use spin_sdk::{http_service, redis};").len(),
            1
        );
    }

    #[test]
    fn the_composition_root_is_free() {
        assert_eq!(
            found("shared/spin/src/lib.rs", "spin_sdk::variables::get(\"x\")"),
            Vec::<String>::new()
        );
    }
}
