//! Writes many rows with few statements, because each statement is a call to the host.

use leaderboard_core::StoreError;

use crate::connection::Value;
use crate::session::Session;

/// The number of rows in one statement. It is fixed, so that the library caches the prepared statement.
const ROWS: usize = 32;

/// Runs `{head}(?, …), (?, …) {tail}` for all rows; a row is `N` parameters.
pub(crate) async fn insert<const N: usize>(
    session: &Session<'_>,
    head: &str,
    tail: &str,
    rows: &[[Value<'_>; N]],
) -> Result<(), StoreError> {
    let chunks = rows.chunks_exact(ROWS);
    let rest = chunks.remainder();
    if rows.len() >= ROWS {
        let many = statement(head, tail, N, ROWS);
        for chunk in chunks {
            session.run(&many, chunk.as_flattened()).await?;
        }
    }
    if !rest.is_empty() {
        let one = statement(head, tail, N, 1);
        for row in rest {
            session.run(&one, row).await?;
        }
    }
    Ok(())
}

/// Runs `{head}(?, …), (?, …)` for all rows in one statement. Use it only for a few rows whose number varies little.
pub(crate) async fn insert_in_one_statement<const N: usize>(
    session: &Session<'_>,
    head: &str,
    rows: &[[Value<'_>; N]],
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let all = statement(head, "", N, rows.len());
    session.run(&all, rows.as_flattened()).await
}

fn statement(head: &str, tail: &str, columns: usize, rows: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    format!("{head}{}{tail}", vec![row; rows].join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_group_of_placeholders_for_each_row() {
        assert_eq!(statement("INSERT ", " END", 2, 2), "INSERT (?, ?), (?, ?) END");
    }
}
