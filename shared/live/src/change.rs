//! What differs between two lists.

use leaderboard_api::wire::live::ChangedPlaceBody;

use crate::view::Row;

/// Returns the places of `to` whose entry is not the one that `from` has there. An entry that only moved or got another rank is named by
/// its place in `from`, which is shorter than the entry.
pub(crate) fn find_changed_places<'t>(from: &[Row], to: &'t [Row]) -> Vec<ChangedPlaceBody<'t>> {
    let changed = to.iter().enumerate().filter(|(at, row)| {
        from.get(*at)
            .is_none_or(|before| before.text.get() != row.text.get())
    });
    changed
        .map(|(at, row)| {
            let before = from.iter().position(|before| before.differs_in_rank_alone(row));
            ChangedPlaceBody {
                at,
                from: before,
                rank: before.map(|_| row.ranked.rank),
                entry: before.is_none().then_some(&*row.text),
            }
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use leaderboard_api::wire::live::{entry_text, raw_text};
    use leaderboard_api::{ApiVersion, IntegerFormat};
    use leaderboard_core::{Columns, Entry, PlayerId, RankedEntry, Timestamp, Values};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    pub(crate) fn row(rank: u64, player: &str, score: i64) -> Row {
        let ranked = RankedEntry {
            rank,
            entry: Entry {
                player: PlayerId::new(player).unwrap(),
                values: Values::new(vec![score]),
                reached_at: Timestamp::from_unix_ms(0).unwrap(),
                metadata: None,
                attempts: 1,
            },
        };
        let text = entry_text(
            ApiVersion::V1,
            IntegerFormat::default(),
            &ranked,
            &Columns::default(),
        );
        Row {
            text: text.unwrap(),
            ranked,
        }
    }

    /// Returns the rows of players with scores, best first.
    pub(crate) fn rows(scores: &[(&str, i64)]) -> Vec<Row> {
        let ranked = scores.iter().zip(1..);
        ranked
            .map(|((player, score), rank)| row(rank, player, *score))
            .collect()
    }

    fn values(rows: &[Row]) -> Vec<Value> {
        let parsed = rows.iter().map(|row| serde_json::from_str(row.text.get()));
        parsed.collect::<Result<_, _>>().unwrap()
    }

    fn places(from: &[Row], to: &[Row]) -> Vec<Value> {
        let text = raw_text(&find_changed_places(from, to), IntegerFormat::default()).unwrap();
        serde_json::from_str(text.get()).unwrap()
    }

    /// Applies a change as a client does.
    fn apply(before: &[Value], size: usize, places: &[Value]) -> Vec<Value> {
        let mut after: Vec<Value> = before.to_vec();
        after.resize(size, Value::Null);
        for place in places {
            let at = usize::try_from(place["at"].as_u64().unwrap()).unwrap();
            after[at] = match place["from"].as_u64() {
                Some(from) => {
                    let mut moved = before[usize::try_from(from).unwrap()].clone();
                    moved["rank"] = place["rank"].clone();
                    moved
                }
                None => place["entry"].clone(),
            };
        }
        after
    }

    #[test]
    fn an_entry_that_moves_is_not_sent_again() {
        let from = rows(&[("a", 9), ("b", 8), ("c", 7)]);
        let to = rows(&[("d", 10), ("a", 9), ("b", 8)]);
        let expected = [
            json!({"at": 0, "entry": values(&to)[0]}),
            json!({"at": 1, "from": 0, "rank": 2}),
            json!({"at": 2, "from": 1, "rank": 3}),
        ];
        assert_eq!(places(&from, &to), expected);
    }

    #[test]
    fn an_entry_with_another_score_is_sent_and_the_others_are_not() {
        let from = rows(&[("a", 9), ("b", 8), ("c", 7)]);
        let to = rows(&[("a", 10), ("b", 8)]);
        assert_eq!(places(&from, &to), [json!({"at": 0, "entry": values(&to)[0]})]);
        assert!(places(&from, &rows(&[("a", 9), ("b", 8)])).is_empty());
    }

    /// Distinct players with scores, best first.
    fn any_list() -> impl Strategy<Value = Vec<Row>> {
        proptest::collection::btree_map(0..12u8, 0..4i64, 0..10).prop_map(|players| {
            let mut players: Vec<_> = players.into_iter().collect();
            players.sort_by_key(|(player, score)| (-score, *player));
            let mut rank = 0;
            let mut before = None;
            players
                .iter()
                .zip(1..)
                .map(|((player, score), position)| {
                    // Equal scores share a rank.
                    if before != Some(*score) {
                        (rank, before) = (position, Some(*score));
                    }
                    row(rank, &format!("player-{player}"), *score)
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn a_client_that_applies_a_change_has_the_new_list(from in any_list(), to in any_list()) {
            let places = places(&from, &to);
            prop_assert_eq!(apply(&values(&from), to.len(), &places), values(&to));
        }
    }
}
