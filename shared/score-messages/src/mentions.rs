//! Finds what a dead letter or the result of a queued request says about a player, so that it can be erased.

use leaderboard_core::PlayerId;
use leaderboard_core::ports::{DeadLetter, QueuedRequest};
use serde_json::Value;

use crate::result::RequestResult;

/// Returns whether a dead letter is about a player: a submission or the sender names the player. If the letter cannot be read, it is
/// about every player whose id its text has.
#[must_use]
pub fn is_letter_about(letter: &DeadLetter, player: &PlayerId) -> bool {
    let Ok(message) = serde_json::from_slice::<Value>(&letter.payload) else {
        return has_text(&letter.payload, player);
    };
    let is_player = |value: Option<&Value>| value.and_then(Value::as_str) == Some(player.as_str());
    let submissions = message.get("scores").and_then(Value::as_array);
    let mut submissions = submissions.into_iter().flatten();
    is_player(message.get("sender")) || submissions.any(|submission| is_player(submission.get("player")))
}

/// Returns whether a queued request that is done is about a player: the player sent it, or its result names the player.
#[must_use]
pub fn is_request_about(request: &QueuedRequest, player: &PlayerId) -> bool {
    let Some(result) = &request.result else {
        return false;
    };
    if request.player.as_ref() == Some(player) {
        return true;
    }
    match RequestResult::decode(result) {
        Ok(RequestResult::Done { answers, .. }) => answers.iter().any(|answer| match answer {
            Ok(outcomes) => outcomes.iter().any(|outcome| outcome.player == *player),
            Err(problem) => {
                let errors = problem.errors.iter().map(|error| error.detail.as_bytes());
                let mut texts = errors.chain(problem.detail.as_deref().map(str::as_bytes));
                texts.any(|text| has_text(text, player))
            }
        }),
        Ok(RequestResult::Dead { reason }) => has_text(reason.as_bytes(), player),
        Err(_) => has_text(result, player),
    }
}

/// Returns whether bytes contain a player's id, as it is or as JSON writes it.
fn has_text(bytes: &[u8], player: &PlayerId) -> bool {
    let quoted = Value::from(player.as_str()).to_string();
    let contains = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
    contains(player.as_bytes()) || contains(quoted.as_bytes())
}

#[cfg(test)]
mod tests {
    use leaderboard_core::Timestamp;

    use super::*;

    fn is_about_ann(payload: &str) -> bool {
        let letter = DeadLetter {
            at: Timestamp::MIN,
            reason: "no".into(),
            payload: payload.as_bytes().to_vec(),
        };
        is_letter_about(&letter, &PlayerId::new("ann").unwrap())
    }

    #[test]
    fn a_letter_is_about_its_player_and_its_sender() {
        assert!(is_about_ann(r#"{"scores":[{"player":"\u0061nn"}]}"#));
        assert!(is_about_ann(r#"{"sender":"ann","scores":[{"player":7}]}"#));
        assert!(!is_about_ann(
            r#"{"scores":[{"player":"joann","metadata":{"x":"ann"}}]}"#
        ));
    }

    #[test]
    fn a_letter_that_cannot_be_read_is_about_every_player_in_it() {
        assert!(is_about_ann(r#"{"scores":[{"player":"ann","#));
        assert!(!is_about_ann(r#"{"scores":[{"player":"bob","#));
    }
}
