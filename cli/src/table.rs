//! Tables for people, aligned by the width that characters take on a terminal.

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use indicatif::HumanCount;

use crate::error::CliError;
use crate::number::Integer;
use crate::output::escape_unprintable;
use crate::wire::{EntryPage, PageEntry, PagePeriod};

/// The style of tables: no frame, and one line below the header.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::new('─', '─', '─', '─'));
/// The number of spaces to the left and right of a cell. The invisible line between two columns adds one more.
const PADDING: (u16, u16) = (0, 1);
/// The text in place of a missing value.
pub(crate) const ABSENT: &str = "–";
/// The mark in the row of the requested player.
const MARK: &str = "▶";

/// The heading of a column, and whether the column is numeric.
pub(crate) struct ColumnHeading {
    text: String,
    numeric: bool,
}

/// Returns a column of text.
pub(crate) fn text_column(heading: impl Into<String>) -> ColumnHeading {
    ColumnHeading {
        text: heading.into(),
        numeric: false,
    }
}

/// Returns a column of numbers, aligned to the right.
pub(crate) fn number_column(heading: impl Into<String>) -> ColumnHeading {
    ColumnHeading {
        text: heading.into(),
        numeric: true,
    }
}

/// Formats a number. Returns a dash for `None`.
pub(crate) fn format_optional(value: Option<Integer>) -> String {
    value.map_or_else(|| ABSENT.to_owned(), |value| value.to_string())
}

/// Renders rows under headings, with every cell escaped.
pub(crate) fn render_table(headings: &[ColumnHeading], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_header(headings.iter().map(|heading| escape_unprintable(&heading.text)));
    for row in rows {
        table.add_row(row.iter().map(|cell| escape_unprintable(cell)));
    }
    for (heading, column) in headings.iter().zip(table.column_iter_mut()) {
        column.set_padding(PADDING);
        column.set_cell_alignment(if heading.numeric {
            CellAlignment::Right
        } else {
            CellAlignment::Left
        });
    }
    table.trim_fmt()
}

/// Renders a page of entries below a line that describes the page, and marks the player `marked`.
pub(crate) fn render_entries(page: &EntryPage, entries: &[PageEntry], marked: Option<&str>) -> String {
    let names = list_columns(entries);
    let with_metadata = entries.iter().any(|entry| shown_metadata(entry).is_some());
    let mut headings = Vec::new();
    if marked.is_some() {
        headings.push(text_column(""));
    }
    headings.extend([number_column("rank"), text_column("player")]);
    headings.extend(names.iter().map(number_column));
    headings.push(text_column("reached"));
    if with_metadata {
        headings.push(text_column("metadata"));
    }
    let rows = entries.iter().map(|entry| {
        let mut row = Vec::with_capacity(headings.len());
        if let Some(player) = marked {
            row.push(if entry.player == player { MARK } else { "" }.to_owned());
        }
        row.extend([entry.rank.to_string(), entry.player.clone()]);
        row.extend(names.iter().map(|name| format_optional(entry.values.get(name))));
        row.push(shorten_time(entry.reached_at.as_deref().unwrap_or(ABSENT)));
        if with_metadata {
            row.push(shown_metadata(entry).unwrap_or_default().to_owned());
        }
        row
    });
    let rows = rows.collect();
    format!("{}\n\n{}", render_caption(page), render_table(&headings, rows))
}

/// Reads the entries of a page.
pub(crate) fn read_entries(page: &EntryPage) -> Result<Vec<PageEntry>, CliError> {
    page.entries
        .iter()
        .chain(&page.entry)
        .map(|raw| serde_json::from_str(raw.get()))
        .collect::<Result<_, _>>()
        .map_err(|error| CliError::Protocol(format!("an entry is not as the API says: {error}")))
}

/// Returns the columns of the entries, in the server's order.
pub(crate) fn list_columns(entries: &[PageEntry]) -> Vec<String> {
    entries
        .first()
        .map(|entry| entry.values.0.iter().map(|(name, _value)| name.clone()).collect())
        .unwrap_or_default()
}

fn shown_metadata(entry: &PageEntry) -> Option<&str> {
    entry
        .metadata
        .as_deref()
        .map(serde_json::value::RawValue::get)
        .filter(|json| !matches!(*json, "{}" | "null"))
}

fn render_caption(page: &EntryPage) -> String {
    let mut parts = vec![
        escape_unprintable(&page.leaderboard),
        format!("period {}", escape_unprintable(&format_period(&page.period))),
    ];
    if let Some(count) = page.count.and_then(|count| u64::try_from(count.0).ok()) {
        parts.push(format!(
            "{} {}",
            HumanCount(count),
            if count == 1 { "player" } else { "players" }
        ));
    }
    if let Some(version) = page.version {
        parts.push(format!("version {version}"));
    }
    parts.join(" · ")
}

fn format_period(period: &PagePeriod) -> String {
    match period {
        PagePeriod::Bounds {
            id,
            starts_at: Some(start),
            ends_at: Some(end),
        } => {
            format!("{id} ({} to {})", shorten_time(start), shorten_time(end))
        }
        period => period.id().to_owned(),
    }
}

/// Removes zero milliseconds from an instant, and the time if it is midnight UTC.
pub(crate) fn shorten_time(time: &str) -> String {
    let Some(text) = time.strip_suffix('Z') else {
        return time.to_owned();
    };
    let text = text.strip_suffix(".000").unwrap_or(text);
    text.strip_suffix("T00:00:00")
        .map_or_else(|| format!("{text}Z"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_page(json: &str) -> (EntryPage, Vec<PageEntry>) {
        let page: EntryPage = serde_json::from_str(json).unwrap();
        let entries = read_entries(&page).unwrap();
        (page, entries)
    }

    #[test]
    fn columns_align_by_terminal_width_and_numbers_align_right() {
        let (page, list) = parse_page(
            r#"{"leaderboard":"goals","period":{"id":"2014","starts_at":"2014-01-01T00:00:00.000Z","ends_at":"2015-01-01T00:00:00.000Z"},
            "version":17,"count":14900,"entries":[
            {"rank":9,"player":"三浦 知良","values":{"score":55},"metadata":{},"reached_at":"2000-02-16T00:00:00.000Z"},
            {"rank":10,"player":"José","values":{"score":"-9223372036854775808"},"metadata":{},"reached_at":"2001-02-03T04:05:06.700Z"}]}"#,
        );
        let expected = "\
goals · period 2014 (2014-01-01 to 2015-01-01) · 14,900 players · version 17

 rank  player                    score  reached
──────────────────────────────────────────────────────────────────
    9  三浦 知良                    55  2000-02-16
   10  José       -9223372036854775808  2001-02-03T04:05:06.700Z";
        assert_eq!(render_entries(&page, &list, None), expected);
    }

    #[test]
    fn the_requested_player_is_marked_and_existing_metadata_is_shown() {
        let (page, list) = parse_page(
            r#"{"leaderboard":"race","period":"all","entries":[
            {"rank":1,"player":"a","values":{"points":3,"ms":70},"metadata":{"car":"red"}},
            {"rank":2,"player":"b","values":{"points":2,"ms":65},"metadata":{}}]}"#,
        );
        let text = render_entries(&page, &list, Some("b"));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "race · period all");
        assert!(lines[2].contains("points  ms  reached  metadata"), "{text}");
        assert!(
            lines[4].contains(r#"{"car":"red"}"#) && !lines[4].contains(MARK),
            "{text}"
        );
        assert!(lines[5].starts_with(" ▶"), "{text}");
    }

    #[test]
    fn an_empty_list_has_only_a_header() {
        let (page, list) = parse_page(r#"{"leaderboard":"l","period":"all","count":0,"entries":[]}"#);
        assert_eq!(render_entries(&page, &list, None).lines().count(), 4);
    }
}
