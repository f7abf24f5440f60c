//! A benchmark that nobody runs rots: `scripts/bench` runs them all.

use anyhow::Result;

use super::Violation;
use crate::bench::{LIST_FILE, List};
use crate::workspace::Workspace;

/// Every benchmark that is not in the list.
///
/// # Errors
/// When the list cannot be read.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<Violation>> {
    let list = List::read(&workspace.root.join(LIST_FILE))?;
    let benches = workspace.packages.iter().flat_map(|package| {
        package
            .targets
            .iter()
            .filter(|target| target.is("bench"))
            .map(move |target| (package, target))
    });
    Ok(benches
        .filter(|(package, target)| !list.runs(&package.name, &target.name))
        .map(|(package, target)| Violation {
            rule: "benchmark",
            place: package.folder.clone(),
            detail: format!(
                "`{}` is not in {LIST_FILE}, so `scripts/bench` does not run it",
                target.name
            ),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;

    #[test]
    fn a_benchmark_that_is_not_listed_is_found() {
        let benches = "[[bench]]\nname = 'listed'\n[[bench]]\nname = 'forgotten'";
        let list = "[[bench]]\nname = 'One'\ncargo = ['bench', '--package', 'leaderboard-core', '--bench', 'listed']";
        let fixture = Fixture::new()
            .package("shared/core", "leaderboard-core", benches)
            .file("shared/core/benches/listed.rs", "fn main() {}")
            .file("shared/core/benches/forgotten.rs", "fn main() {}")
            .file(LIST_FILE, list);
        let found: Vec<String> = check(&fixture.workspace())
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            found,
            [
                "benchmark: shared/core: `forgotten` is not in scripts/bench.toml, so `scripts/bench` does not run it"
            ]
        );
    }
}
