//! Tests of the rules of every source file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The most lines of a file.
const FILE_LINES_MAX: usize = 400;
/// The only file of the product that contains the names of Redis keys.
const KEYS_FILE: &str = "shared/redis/src/keys.rs";
/// The beginnings of string literals with the name of a Redis key.
const KEY_PREFIXES: [&str; 2] = [concat!("\"e", "b:"), concat!("'e", "b:")];
/// Marks of unfinished work that no lint finds, and exceptions from lints without a reason. They are split
/// here, because this file must not contain them either.
const LEFTOVERS: [&str; 4] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("#[", "ignore]"),
    concat!("#![", "allow("),
];
/// The folders of source files.
const FOLDERS: [&str; 7] = [".ci", "cli", "functions", "scripts", "shared", "tests", "wit"];
/// The extensions of source files. A file without an extension is a script.
const EXTENSIONS: [&str; 7] = ["", "lua", "rs", "sh", "sql", "toml", "wit"];

/// Returns the source files of the repository: their paths relative to the root, with `/`, and their texts.
pub(super) fn read_sources() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for folder in FOLDERS {
        read_folder(super::ROOT.as_ref(), folder, &mut files);
    }
    files
}

fn read_folder(root: &Path, folder: &str, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_name().unwrap().to_str().unwrap();
        let path = format!("{folder}/{name}");
        let extension = file
            .extension()
            .map_or("", |extension| extension.to_str().unwrap());
        if file.is_dir() && !name.starts_with('.') && !["node_modules", "target"].contains(&name) {
            read_folder(root, &path, files);
        } else if file.is_file() && EXTENSIONS.contains(&extension) {
            files.insert(path, fs::read_to_string(&file).unwrap());
        }
    }
}

#[test]
fn every_source_file_follows_the_rules() {
    let mut broken = Vec::new();
    for (path, text) in read_sources() {
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            broken.push(format!(
                "{path}: {lines} lines, at most {FILE_LINES_MAX} are allowed"
            ));
        }
        for (line, number) in text.lines().zip(1..) {
            broken.extend(find_fault(&path, line).map(|fault| format!("{path}:{number}: {fault}")));
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

/// Returns what is wrong with a line; `None` if the line follows the rules.
fn find_fault(path: &str, line: &str) -> Option<String> {
    // Tests that damage a store on purpose need the names of the keys that they damage.
    let may_name_keys = path == KEYS_FILE || path.starts_with("tests/") || path.contains("/tests/");
    if !may_name_keys && KEY_PREFIXES.iter().any(|prefix| line.contains(prefix)) {
        return Some(format!("names of Redis keys belong into {KEYS_FILE}"));
    }
    // A function uses only the macro of its entry point from the SDK. Only leaderboard-spin calls the SDK.
    if path.starts_with("functions/") && line.contains("spin_sdk::") && !line.starts_with("#[spin_sdk::") {
        return Some("only leaderboard-spin calls spin-sdk".to_owned());
    }
    let leftover = LEFTOVERS.iter().find(|leftover| line.contains(**leftover))?;
    Some(format!("`{leftover}`: finish it, or leave it out"))
}

#[test]
fn lines_that_break_a_rule_are_found() {
    let key = concat!("let key = \"e", "b:x\";");
    assert!(find_fault(KEYS_FILE, key).is_none() && find_fault("shared/redis/tests/a.rs", key).is_none());
    assert!(find_fault("shared/redis/src/a.rs", key).is_some());
    assert!(find_fault("functions/a/src/lib.rs", "#[spin_sdk::redis_subscriber]").is_none());
    assert!(find_fault("functions/a/src/lib.rs", "    spin_sdk::variables::get(\"x\")").is_some());
    assert!(find_fault("cli/src/a.rs", concat!("// TO", "DO later")).is_some());
}
