//! Tests of `leaderboard-identity`.

#[cfg(test)]
mod api_keys;
#[cfg(test)]
mod bad_tokens;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod given;
#[cfg(test)]
mod key_sets;
#[cfg(test)]
mod player_tokens;
#[cfg(test)]
mod robustness;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod verifying;
