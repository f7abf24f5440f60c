//! Records about a player who is erased: the pseudonym takes the player's place.

use leaderboard_core::PlayerErasure;
use serde_json::Value;

/// The fields of a record that can have a player's id: the player of an action, a ban, a correction or an issued token, and the
/// subject of a player's token.
const PLAYER_FIELDS: [&str; 2] = ["player", "subject"];
/// The field of a ban's record that says why the player was banned.
const REASON_FIELD: &str = "reason";

/// Returns the bytes that each record about the player contains: the id as JSON writes it, without quotation marks.
#[must_use]
pub fn mention_of(erasure: &PlayerErasure) -> Vec<u8> {
    let quoted = Value::from(erasure.player.as_str()).to_string();
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(&quoted).as_bytes().to_vec()
}

/// Returns a record with the pseudonym in place of the player, and without the reason of a ban; `None` if the record is about another
/// player or none.
#[must_use]
pub fn pseudonymise(erasure: &PlayerErasure, body: &[u8]) -> Option<Vec<u8>> {
    let mut record: Value = serde_json::from_slice(body).ok()?;
    let mut is_changed = replace_in(&mut record, erasure);
    for name in ["who", "parameters"] {
        if let Some(part) = record.get_mut(name) {
            is_changed |= replace_in(part, erasure);
        }
    }
    is_changed.then(|| record.to_string().into_bytes())
}

/// Replaces the player in the fields of an object. Returns whether it was there.
fn replace_in(part: &mut Value, erasure: &PlayerErasure) -> bool {
    let Some(fields) = part.as_object_mut() else {
        return false;
    };
    let mut is_changed = false;
    for name in PLAYER_FIELDS {
        if let Some(value) = fields.get_mut(name)
            && value.as_str() == Some(erasure.player.as_str())
        {
            *value = Value::from(erasure.pseudonym.as_str());
            is_changed = true;
        }
    }
    // The record of a refusal has a reason too, but no player beside it.
    if is_changed && let Some(reason) = fields.get_mut(REASON_FIELD) {
        *reason = Value::Null;
    }
    is_changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use leaderboard_core::PlayerId;

    fn erasure(player: &str) -> PlayerErasure {
        PlayerErasure {
            player: PlayerId::new(player).unwrap(),
            pseudonym: PlayerId::new("x").unwrap(),
        }
    }

    fn replaced(record: &str) -> Option<Value> {
        let erasure = erasure("say \"é\"");
        let body = record.as_bytes();
        let mention = mention_of(&erasure);
        let mentions = body.windows(mention.len()).any(|part| part == mention);
        let replaced = pseudonymise(&erasure, body);
        assert!(mentions || replaced.is_none(), "{record}");
        replaced.map(|bytes| serde_json::from_slice(&bytes).unwrap())
    }

    #[test]
    fn a_record_about_the_player_keeps_all_but_the_player() {
        for (record, expected) in [
            (
                r#"{"type":"act","who":{"credential":"token","issuer":"i","subject":"say \"é\""},"parameters":{"leaderboard":"b","player":"say \"é\""}}"#,
                r#"{"type":"act","who":{"credential":"token","issuer":"i","subject":"x"},"parameters":{"leaderboard":"b","player":"x"}}"#,
            ),
            (
                r#"{"type":"ban","player":"say \"é\"","reason":"é cheats","trace":"1"}"#,
                r#"{"type":"ban","player":"x","reason":null,"trace":"1"}"#,
            ),
        ] {
            let expected: Value = serde_json::from_str(expected).unwrap();
            assert_eq!(replaced(record), Some(expected));
        }
    }

    #[test]
    fn other_records_stay() {
        for record in [
            r#"{"type":"ban","player":"say \"é\" twice","reason":"r"}"#,
            r#"{"type":"refused","who":{"credential":"nobody"},"reason":"say \"é\""}"#,
            "no JSON",
        ] {
            assert_eq!(replaced(record), None);
        }
    }
}
