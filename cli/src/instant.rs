//! Converts the forms of instants that users and files have.

use jiff::Timestamp;
use jiff::civil::Date;

/// Converts RFC 3339 with any offset, or a date (midnight UTC), to RFC 3339 in UTC.
pub(crate) fn normalise_instant(text: &str) -> Result<String, String> {
    let text = text.trim();
    let instant = if text.len() > "2000-01-01".len() {
        text.parse::<Timestamp>().ok()
    } else {
        text.parse::<Date>()
            .ok()
            .and_then(|date| date.at(0, 0, 0, 0).in_tz("UTC").ok())
            .map(|zoned| zoned.timestamp())
    };
    instant
        .map(|instant| instant.to_string())
        .ok_or_else(|| format!("`{text}` is neither a date (2014-07-13) nor RFC 3339 (2014-07-13T19:53:00Z)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_rfc_3339_become_utc() {
        let cases = [
            ("1916-07-02", "1916-07-02T00:00:00Z"),
            (" 2014-07-13T21:53:00+02:00 ", "2014-07-13T19:53:00Z"),
            ("2014-07-13T19:53:00.250Z", "2014-07-13T19:53:00.25Z"),
        ];
        for (text, expected) in cases {
            assert_eq!(normalise_instant(text).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn a_time_without_a_zone_and_other_text_are_refused() {
        for text in [
            "",
            "2014-07-13T19:53:00",
            "2014-02-30",
            "13.07.2014",
            "yesterday",
            "NA",
        ] {
            assert!(normalise_instant(text).is_err(), "{text}");
        }
    }
}
