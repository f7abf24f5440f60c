//! The text format of Prometheus, version 0.0.4.

use std::fmt::Write;

use super::counts::SeriesValues;

/// The media type of the format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The help texts of the metrics. A metric that is not in this list is shown without help.
const HELP: [(&str, &str); 11] = [
    (
        "edgeboard_acts_unrecorded_total",
        "Actions of this region that the audit log has no record of, because the store was out of memory.",
    ),
    (
        "edgeboard_announcement_failed_timestamp_seconds",
        "When the store last refused to announce a change.",
    ),
    (
        "edgeboard_announcements_failed_total",
        "Changes that the store refused to announce to other regions.",
    ),
    ("edgeboard_build_info", "The version that answers."),
    (
        "edgeboard_changes_refused_total",
        "Changes refused because the store was out of reach.",
    ),
    (
        "edgeboard_credentials_refused_total",
        "Requests of this region whose credential was refused.",
    ),
    (
        "edgeboard_refusals_unrecorded_total",
        "Refused credentials of this region that the audit log took no record of.",
    ),
    (
        "edgeboard_requests_limited_total",
        "Requests refused because a limit was used up.",
    ),
    (
        "edgeboard_requests_total",
        "Requests of this region, by family of endpoints and class of status.",
    ),
    (
        "edgeboard_requests_unmetered_total",
        "Requests let through whose report did not reach the store.",
    ),
    ("edgeboard_store_up", "Whether the store answered just now."),
];

/// Formats gauges and counters. The series of one metric follow each other, as the format requires.
pub fn format_exposition(gauges: &SeriesValues, counters: &SeriesValues) -> String {
    let mut text = String::new();
    for (kind, values) in [("gauge", gauges), ("counter", counters)] {
        let mut last = "";
        // Sorted by the name of the metric first: by series alone, `a_total{` would stand after `a_total_b`, because a brace
        // sorts after the characters of a name.
        let mut sorted: Vec<(&str, &str, u64)> = values
            .iter()
            .map(|(series, value)| (metric_name(series), &**series, *value))
            .collect();
        sorted.sort_unstable();
        for (name, series, value) in sorted {
            if name != last {
                // Writing to a string cannot fail.
                if let Some((_, help)) = HELP.iter().find(|(known, _)| *known == name) {
                    let _ = writeln!(text, "# HELP {name} {help}");
                }
                let _ = writeln!(text, "# TYPE {name} {kind}");
                last = name;
            }
            let _ = writeln!(text, "{series} {value}");
        }
    }
    text
}

fn metric_name(series: &str) -> &str {
    series.split('{').next().unwrap_or(series)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_of_a_metric_stand_together_below_its_type() {
        let of = |list: &[(&str, u64)]| {
            list.iter()
                .map(|(series, value)| ((*series).into(), *value))
                .collect()
        };
        let gauges = of(&[("edgeboard_store_up", 1)]);
        let counters = of(&[("a_total{x=\"1\"}", 2), ("a_total_b", 4), ("a_total{x=\"2\"}", 3)]);
        assert_eq!(
            format_exposition(&gauges, &counters),
            "# HELP edgeboard_store_up Whether the store answered just now.\n\
             # TYPE edgeboard_store_up gauge\nedgeboard_store_up 1\n\
             # TYPE a_total counter\na_total{x=\"1\"} 2\na_total{x=\"2\"} 3\n\
             # TYPE a_total_b counter\na_total_b 4\n"
        );
    }
}
