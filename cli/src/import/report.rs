//! The report of an import, for people and for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::import::deliver::RefusedRow;
use crate::import::source::UnmappableRow;
use indicatif::HumanCount;

/// The report. Every row of the file is in exactly one of the counts.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ImportReport {
    /// The leaderboards.
    pub(crate) leaderboards: Vec<String>,
    /// The number of data rows in the file.
    pub(crate) rows: u64,
    /// The number of rows that the server accepted in this run.
    pub(crate) imported: u64,
    /// How many of the imported rows the server had accepted before under the same id, so that they changed nothing.
    pub(crate) replayed: u64,
    /// The number of rows that an earlier run imported.
    pub(crate) imported_before: u64,
    /// The rows that were left out, for each skip rule.
    pub(crate) skipped: Vec<SkippedRows>,
    /// The number of rows that the server refused.
    pub(crate) refused: u64,
    /// The number of rows that could not be mapped.
    pub(crate) unmappable: u64,
    /// The number of rows that were not sent.
    pub(crate) not_sent: u64,
    /// The first refused rows.
    pub(crate) refusals: Vec<RefusedRow>,
    /// The first rows that could not be mapped.
    pub(crate) unmappable_rows: Vec<UnmappableRow>,
    /// How long the sending took.
    #[serde(rename = "duration_ms", serialize_with = "milliseconds")]
    pub(crate) duration: Duration,
}

/// The rows that one rule left out.
#[derive(Debug, Serialize)]
pub(crate) struct SkippedRows {
    /// The rule.
    pub(crate) rule: String,
    /// The number of rows that the rule left out.
    pub(crate) rows: u64,
}

fn milliseconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u128(duration.as_millis())
}

impl ImportReport {
    /// Returns why the import is incomplete; `None` if it is complete.
    pub(crate) fn incomplete_reason(&self) -> Option<String> {
        let mut reasons = Vec::new();
        if self.refused > 0 {
            reasons.push(format!(
                "{} refused (the same command sends them again)",
                format_rows(self.refused)
            ));
        }
        if self.unmappable > 0 {
            reasons.push(format!("{} could not be mapped", format_rows(self.unmappable)));
        }
        (!reasons.is_empty()).then(|| reasons.join(", "))
    }

    /// Renders the report in lines for people.
    pub(crate) fn render(&self) -> String {
        let mut lines = vec![self.headline()];
        if self.replayed > 0 {
            lines.push(format!(
                "{} of them were applied before (the server knows their ids): nothing changed",
                format_rows(self.replayed)
            ));
        }
        if self.imported_before > 0 && self.imported > 0 {
            lines.push(format!(
                "{} imported by an earlier run",
                format_rows(self.imported_before)
            ));
        }
        lines.extend(
            self.skipped
                .iter()
                .map(|skipped| format!("{} skipped: {}", format_rows(skipped.rows), skipped.rule)),
        );
        let rest = [
            (self.refused, "refused"),
            (self.unmappable, "could not be mapped"),
            (self.not_sent, "not sent"),
        ];
        lines.extend(
            rest.iter()
                .filter(|(count, _what)| *count > 0)
                .map(|(count, what)| format!("{} {what}", format_rows(*count))),
        );
        lines.join("\n")
    }

    fn headline(&self) -> String {
        let leaderboards = self.leaderboards.join(", ");
        if self.imported == 0 && self.imported_before > 0 && self.refused == 0 && self.not_sent == 0 {
            return format!(
                "{} imported into {leaderboards} by an earlier run: nothing sent",
                format_rows(self.imported_before)
            );
        }
        let mut line = format!("{} imported into {leaderboards}", format_rows(self.imported));
        let seconds = self.duration.as_secs_f64();
        if self.imported > 0 && seconds > 0.0 {
            let per_second = u128::from(self.imported) * 1000 / self.duration.as_millis().max(1);
            let per_second = HumanCount(u64::try_from(per_second).unwrap_or(u64::MAX));
            // Writing to a string cannot fail.
            let _written = write!(line, " in {seconds:.1} s ({per_second} rows/s)");
        }
        line
    }
}

/// Formats a count: `1 row`, `2 rows`.
pub(crate) fn format_rows(count: u64) -> String {
    format!(
        "{} {}",
        HumanCount(count),
        if count == 1 { "row" } else { "rows" }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create_report() -> ImportReport {
        ImportReport {
            leaderboards: vec!["goals".into(), "goals-by-year".into()],
            rows: 47_914,
            imported: 46_934,
            skipped: vec![
                SkippedRows {
                    rule: "own_goal=TRUE".into(),
                    rows: 936,
                },
                SkippedRows {
                    rule: "scorer=NA".into(),
                    rows: 44,
                },
            ],
            duration: Duration::from_secs(4),
            ..ImportReport::default()
        }
    }

    #[test]
    fn the_report_counts_missing_rows_by_reason() {
        assert_eq!(
            create_report().render(),
            "46,934 rows imported into goals, goals-by-year in 4.0 s (11,733 rows/s)\n\
             936 rows skipped: own_goal=TRUE\n44 rows skipped: scorer=NA"
        );
        let bad = ImportReport {
            refused: 1,
            unmappable: 2,
            not_sent: 3,
            replayed: 5,
            imported_before: 7,
            ..create_report()
        };
        assert!(
            bad.render()
                .ends_with("1 row refused\n2 rows could not be mapped\n3 rows not sent"),
            "{}",
            bad.render()
        );
        assert!(bad.render().contains(
            "5 rows of them were applied before (the server knows their ids): nothing changed\n7 rows imported by an earlier run"
        ));
        assert!(bad.incomplete_reason().unwrap().starts_with("1 row refused"));
        assert_eq!(create_report().incomplete_reason(), None);
    }

    #[test]
    fn the_report_of_a_second_run_says_that_nothing_was_sent() {
        let again = ImportReport {
            imported: 0,
            imported_before: 46_934,
            ..create_report()
        };
        assert!(
            again.render().starts_with(
                "46,934 rows imported into goals, goals-by-year by an earlier run: nothing sent\n"
            )
        );
    }
}
