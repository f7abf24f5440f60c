//! Splits a message into parts, each of which could be a request.

use std::collections::BTreeSet;

use leaderboard_core::LeaderboardId;

use leaderboard_api::wire::submission::MAX_REQUEST_LEADERBOARDS;

/// Splits items, in their order, into parts that name at most [`MAX_REQUEST_LEADERBOARDS`] different leaderboards each. An item
/// that names more leaderboards is a part of its own.
pub(crate) fn parts<'i, T>(items: &'i [T], named: impl Fn(&'i T) -> &'i [LeaderboardId]) -> Vec<&'i [T]> {
    let mut parts = Vec::new();
    let mut rest = items;
    while !rest.is_empty() {
        let mut seen: BTreeSet<&LeaderboardId> = BTreeSet::new();
        let fits = rest.iter().take_while(|item| {
            seen.extend(named(item));
            seen.len() <= MAX_REQUEST_LEADERBOARDS
        });
        let (part, after) = rest.split_at(fits.count().max(1));
        parts.push(part);
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the number of items in each part. Each item names `count` leaderboards with the numbers from `from` on.
    fn lengths(items: &[(usize, usize)]) -> Vec<usize> {
        let items: Vec<Vec<LeaderboardId>> = items
            .iter()
            .map(|(from, count)| {
                let ids = (*from..from + count).map(|n| LeaderboardId::new(format!("b{n}")).unwrap());
                ids.collect()
            })
            .collect();
        parts(&items, |item| item).iter().map(|part| part.len()).collect()
    }

    #[test]
    fn a_part_names_as_many_leaderboards_as_a_request_may() {
        assert_eq!(lengths(&[]), [0; 0]);
        assert_eq!(lengths(&[(0, 16); 1000]), [1000]);
        assert_eq!(lengths(&[(0, 16), (16, 16), (8, 16), (31, 2), (0, 1)]), [3, 2]);
        let disjoint: Vec<_> = (0..10).map(|n| (16 * n, 16)).collect();
        assert_eq!(lengths(&disjoint), [2; 5]);
        assert_eq!(lengths(&[(0, 40), (0, 1)]), [1, 1]);
    }
}
