//! Tidiness: what a reader may rely on in every source file.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::Violation;
use crate::workspace::relative;

/// The longest source file, in lines.
const FILE_LINES_MAX: usize = 500;
/// The longest file of a function, in lines: an entry point and a route table.
const FUNCTION_LINES_MAX: usize = 150;
/// The only file that spells the names of Redis keys.
const KEYS_FILE: &str = "shared/redis/src/keys.rs";
/// The start of every Redis key, as a source file would spell it.
const KEY_PREFIXES: [&str; 2] = [concat!("\"e", "b:"), concat!("'e", "b:")];
/// An exception is an `expect` with its reason.
const SILENCERS: [&str; 2] = [concat!("#[", "allow("), concat!("#![", "allow(")];
/// Marks of unfinished work.
const LEFTOVERS: [&str; 6] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("#[", "ignore]"),
    concat!("#[", "ignore ="),
];

const SOURCE_FOLDERS: [&str; 7] = [".ci", "cli", "functions", "scripts", "shared", "tests", "wit"];
const SOURCE_EXTENSIONS: [&str; 6] = ["lua", "rs", "sh", "sql", "toml", "wit"];

/// A source file.
#[derive(Debug)]
pub(super) struct SourceFile {
    /// Below the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

impl SourceFile {
    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub(super) fn is_of_a_function(&self) -> bool {
        self.is_rust() && self.path.starts_with("functions/")
    }

    /// A violation at the lines for which `find` says what is wrong.
    pub(super) fn lines_with(
        &self,
        rule: &'static str,
        find: impl Fn(&str) -> Option<String>,
    ) -> Vec<Violation> {
        let lines = self.text.lines().zip(1usize..);
        lines
            .filter_map(|(line, number)| {
                find(line).map(|detail| Violation {
                    rule,
                    place: format!("{}:{number}", self.path),
                    detail,
                })
            })
            .collect()
    }
}

/// The source files of the repository, in order of their paths.
///
/// # Errors
/// When a folder or a file cannot be read.
pub(super) fn read_sources(root: &Path) -> Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    for folder in SOURCE_FOLDERS.map(|folder| root.join(folder)) {
        if folder.is_dir() {
            read_folder(&folder, root, &mut files)?;
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn read_folder(folder: &Path, root: &Path, files: &mut Vec<SourceFile>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let name = entry.file_name();
        if kind.is_dir() && name != "target" && !name.to_string_lossy().starts_with('.') {
            read_folder(&path, root, files)?;
        } else if kind.is_file() && is_source(&path) {
            let text =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            files.push(SourceFile {
                path: relative(&path, root),
                text,
            });
        }
    }
    Ok(())
}

/// A file without an extension is a script.
fn is_source(path: &Path) -> bool {
    path.extension()
        .is_none_or(|own| SOURCE_EXTENSIONS.iter().any(|known| own == *known))
}

/// Every broken rule of tidiness.
pub(super) fn check(files: &[SourceFile]) -> Vec<Violation> {
    let rules = [length, key_names, silencers, leftovers];
    files
        .iter()
        .flat_map(|file| rules.iter().flat_map(|rule| rule(file)))
        .collect()
}

fn length(file: &SourceFile) -> Vec<Violation> {
    let maximum = if file.is_of_a_function() {
        FUNCTION_LINES_MAX
    } else {
        FILE_LINES_MAX
    };
    let lines = file.text.lines().count();
    let detail = format!("{lines} lines, at most {maximum} are allowed");
    if lines > maximum {
        vec![Violation {
            rule: "length",
            place: file.path.clone(),
            detail,
        }]
    } else {
        Vec::new()
    }
}

fn key_names(file: &SourceFile) -> Vec<Violation> {
    // Tests that damage a store on purpose have to name what they damage.
    let is_test = file.path.starts_with("tests/") || file.path.contains("/tests/");
    if file.path == KEYS_FILE || is_test {
        return Vec::new();
    }
    file.lines_with("key-names", |line| {
        let found = KEY_PREFIXES.iter().any(|prefix| line.contains(prefix));
        found.then(|| format!("names of Redis keys belong into {KEYS_FILE}"))
    })
}

fn silencers(file: &SourceFile) -> Vec<Violation> {
    file.lines_with("lint-exception", |line| {
        let found = SILENCERS.iter().any(|silencer| line.contains(silencer));
        found.then(|| "an exception is `#[expect(…, reason = \"…\")]`".to_owned())
    })
}

fn leftovers(file: &SourceFile) -> Vec<Violation> {
    file.lines_with("leftover", |line| {
        let found = LEFTOVERS.iter().find(|leftover| line.contains(**leftover));
        found.map(|leftover| format!("`{leftover}`: finish it or leave it out"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<String> {
        let files = [SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        }];
        check(&files).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn long_files_are_found() {
        assert_eq!(
            lines("shared/core/src/a.rs", &"\n".repeat(500)),
            Vec::<String>::new()
        );
        assert_eq!(
            lines("shared/core/src/a.rs", &"\n".repeat(501)),
            ["length: shared/core/src/a.rs: 501 lines, at most 500 are allowed"]
        );
        assert_eq!(
            lines("functions/ops/src/lib.rs", &"\n".repeat(151)),
            ["length: functions/ops/src/lib.rs: 151 lines, at most 150 are allowed"]
        );
    }

    #[test]
    fn key_names_stay_in_one_file() {
        let text = concat!("\nlet key = format!(\"e", "b:{tenant}\");");
        assert_eq!(lines(KEYS_FILE, text), Vec::<String>::new());
        assert_eq!(
            lines("shared/redis/tests/redis/damage.rs", text),
            Vec::<String>::new()
        );
        assert_eq!(
            lines("shared/redis/src/scores.rs", text),
            [
                "key-names: shared/redis/src/scores.rs:2: names of Redis keys belong into shared/redis/src/keys.rs"
            ]
        );
        assert_eq!(
            lines(
                "shared/redis/src/submit.lua",
                concat!("local k = 'e", "b:' .. tenant")
            )
            .len(),
            1
        );
    }

    #[test]
    fn silenced_lints_are_found() {
        let text = concat!(
            "#![",
            "allow(dead_code)]\n#[",
            "allow(unused)]\n#[expect(unused, reason = \"…\")]"
        );
        assert_eq!(lines("cli/src/main.rs", text).len(), 2);
    }

    #[test]
    fn leftovers_are_found() {
        for leftover in LEFTOVERS {
            let found = lines("cli/src/main.rs", &format!("fine\nx {leftover} y"));
            assert_eq!(
                found,
                [format!(
                    "leftover: cli/src/main.rs:2: `{leftover}`: finish it or leave it out"
                )]
            );
        }
    }

    #[test]
    fn sources_are_found_and_only_sources() {
        let fixture = Fixture::new()
            .file("scripts/up", "#!/usr/bin/env bash")
            .file("shared/redis/src/submit.lua", "")
            .file("tests/data/goals.csv", "")
            .file("cli/target/debug/x.rs", "")
            .file("shared/core/src/lib.rs", "");
        let files = read_sources(fixture.root()).unwrap();
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "scripts/up",
                "shared/core/src/lib.rs",
                "shared/redis/src/submit.lua"
            ]
        );
    }
}
