//! Compares the sizes of the shipped components with their budgets.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::workspace::{Kind, Workspace};
use crate::{Profile, functions};

/// The file of the budgets, relative to the root.
const BUDGETS_FILE: &str = "scripts/sizes.toml";
const BYTES_PER_KIB: u64 = 1024;

/// The budgets, in KiB.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Budgets {
    /// The budget of a component that is not in `kib`.
    default_kib: u64,
    /// The budgets of single components.
    kib: BTreeMap<String, u64>,
}

/// Builds the functions as shipped, and prints their sizes.
///
/// # Errors
/// The functions cannot be built, the budgets cannot be read, or a component is above its budget.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let text = fs::read_to_string(workspace.root.join(BUDGETS_FILE));
    let budgets: Budgets = toml::from_str(&text.with_context(|| format!("cannot read {BUDGETS_FILE}"))?)
        .with_context(|| format!("cannot read {BUDGETS_FILE}"))?;
    // The files in cargo's target folder are measured, so that the components in `target/functions` stay as
    // they are.
    let mut sizes = BTreeMap::new();
    for (name, file) in functions::compile(workspace, Kind::Function, Profile::Edge)? {
        let size = fs::metadata(&file).with_context(|| format!("cannot read {}", file.display()))?;
        sizes.insert(name, size.len().div_ceil(BYTES_PER_KIB));
    }
    let (table, over) = budgets.compare(&sizes)?;
    print!("{table}");
    ensure!(
        over.is_empty(),
        "above the budget of {BUDGETS_FILE}: {}",
        over.join(", ")
    );
    Ok(())
}

impl Budgets {
    /// Returns the table in Markdown, and the names of the components above their budgets. Sizes are in KiB.
    ///
    /// # Errors
    /// There is a budget for a component that does not exist.
    fn compare<'a>(&self, sizes: &'a BTreeMap<String, u64>) -> Result<(String, Vec<&'a str>)> {
        for name in self.kib.keys() {
            let known = sizes.contains_key(name);
            ensure!(
                known,
                "{BUDGETS_FILE} has a budget for {name}, which is no function"
            );
        }
        let mut table = String::from("| component | KiB | budget KiB |\n|---|---:|---:|\n");
        let mut over = Vec::new();
        for (name, size) in sizes {
            let budget = *self.kib.get(name).unwrap_or(&self.default_kib);
            table += &format!("| {name} | {size} | {budget} |\n");
            if *size > budget {
                over.push(name.as_str());
            }
        }
        Ok((table, over))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oversized_components_are_named_and_unknown_budgets_are_errors() {
        let budgets: Budgets = toml::from_str("default_kib = 4\n[kib]\nbig = 8\n").unwrap();
        let mut sizes = BTreeMap::from([("small".to_owned(), 4), ("big".to_owned(), 9)]);
        let (table, over) = budgets.compare(&sizes).unwrap();
        assert!(table.ends_with("| big | 9 | 8 |\n| small | 4 | 4 |\n"), "{table}");
        assert_eq!(over, ["big"]);
        sizes.remove("big");
        assert!(budgets.compare(&sizes).is_err());
    }
}
