//! Tests that the handwritten tables in `docs/reference` are complete.

use std::collections::BTreeSet;

use leaderboard_api::ProblemType;

#[test]
fn the_reference_lists_every_problem_type() {
    let reference = include_str!("../../../../docs/reference/errors.md");
    let listed: Vec<&str> = reference
        .lines()
        .filter(|line| line.contains("| `/problems/") || line.contains("| `https://iana.org/"))
        .collect();
    let row = |kind: &ProblemType| {
        let status = kind.status().as_u16();
        format!("| {status} | `{}` | {} |", kind.uri(), kind.meaning())
    };
    let expected: Vec<String> = ProblemType::ALL.iter().map(row).collect();
    assert_eq!(listed, expected);
}

#[test]
fn the_reference_lists_every_variable_of_the_manifest() {
    let manifest = include_str!("../../../../spin.toml");
    let variables: BTreeSet<&str> = manifest
        .lines()
        .skip_while(|line| *line != "[variables]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once(" = {"))
        .map(|(name, _)| name)
        .collect();
    let reference = include_str!("../../../../docs/reference/configuration.md");
    // The names in backticks of each row's first cell.
    let listed: BTreeSet<&str> = reference
        .lines()
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| line.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    assert_eq!(listed, variables);
}
