//! The README's table of errors is the catalogue, row by row.

use leaderboard_http::catalogue;

#[test]
fn the_readme_lists_every_type_of_problem() {
    let readme = include_str!("../../../README.md");
    let listed: Vec<&str> = readme
        .lines()
        .filter(|line| line.contains("| `/problems/") || line.contains("| `https://iana.org/"))
        .collect();
    let expected: Vec<String> = catalogue()
        .map(|entry| format!("| {} | `{}` | {} |", entry.status, entry.uri, entry.meaning))
        .collect();
    assert_eq!(listed, expected);
}
