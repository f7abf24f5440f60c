//! Finds all faults of a reset and describes them for the person who wrote it. [`Schedule::new`] stops at the first fault, and
//! may return a text of the cron library.

use crate::nearest::suggest;
use crate::{Invalid, MAX_CRON_BYTES, Reset, Schedule};

/// The fields of a cron expression, and the values that each may have.
const FIELDS: [(&str, &str); 5] = [
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of month", "1 to 31, or L for the last"),
    ("month", "1 to 12 or JAN to DEC"),
    ("day of week", "0 to 7 or SUN to SAT; 0 and 7 are Sunday"),
];
const FORMS: &str = "with * for any, lists (1,15), ranges (1-5) and steps (*/10)";
/// A valid expression and a valid time zone. Each part of a reset is tested together with the valid other part.
const ANY_CRON: &str = "0 0 * * *";
const ANY_ZONE: &str = "UTC";

/// Returns every fault of a reset, at `/cron` or `/time_zone`. Each wrong field of a cron expression is a fault.
#[must_use]
pub fn find_reset_faults(reset: &Reset) -> Vec<Invalid> {
    let zone = (!is_good(ANY_CRON, &reset.time_zone)).then(|| {
        let zones: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let suggestion = suggest(&reset.time_zone, zones.iter().map(String::as_str));
        Invalid::new(
            "/time_zone",
            format!("must be an IANA time zone, e.g. Europe/Madrid{suggestion}"),
        )
    });
    find_cron_faults(&reset.cron)
        .into_iter()
        .map(|detail| Invalid::new("/cron", detail))
        .chain(zone)
        .collect()
}

fn is_good(cron: &str, time_zone: &str) -> bool {
    let reset = Reset {
        cron: cron.into(),
        time_zone: time_zone.into(),
    };
    Schedule::new(reset).is_ok()
}

/// Returns a text for each fault of a cron expression.
fn find_cron_faults(text: &str) -> Vec<String> {
    if is_good(text, ANY_ZONE) {
        return Vec::new();
    }
    if text.len() > MAX_CRON_BYTES {
        return vec![format!("must be at most {MAX_CRON_BYTES} bytes")];
    }
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return vec![format!(
            "must have five fields (minute, hour, day of month, month, day of week), not {}",
            fields.len()
        )];
    }
    let alone = |at: usize| {
        let others = |place| {
            if place == at {
                fields.get(place).copied().unwrap_or("*")
            } else {
                "*"
            }
        };
        [others(0), others(1), others(2), others(3), others(4)].join(" ")
    };
    let faulty = FIELDS
        .iter()
        .enumerate()
        .filter(|(at, _)| !is_good(&alone(*at), ANY_ZONE));
    let mut faults: Vec<String> = faulty
        .map(|(at, (name, range))| {
            let value = fields.get(at).copied().unwrap_or_default();
            format!("the field {name} ({value}) must be {range}, {FORMS}")
        })
        .collect();
    if faults.is_empty() {
        faults.push("names no instant that ever comes".to_owned());
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(cron: &str, time_zone: &str) -> Vec<(String, String)> {
        let reset = Reset {
            cron: cron.into(),
            time_zone: time_zone.into(),
        };
        let faults = find_reset_faults(&reset).into_iter();
        faults.map(|fault| (fault.pointer, fault.detail)).collect()
    }

    #[test]
    fn each_faulty_field_of_an_expression_is_named() {
        for (cron, words) in [
            ("61 0 * * *", "minute (61) must be 0 to 59"),
            ("0 24 * * *", "hour (24)"),
            ("0 0 32 * *", "day of month (32)"),
            ("0 0 1 13 *", "month (13)"),
            ("0 0 * * 8", "day of week (8)"),
            ("0 0 * * FOO", "day of week (FOO)"),
            ("0 x-y * * *", "hour (x-y)"),
            ("0 0 * *", "not 4"),
            ("0 0 0 * * *", "not 6"),
            ("", "not 0"),
            ("0 0 30 2 *", "no instant that ever comes"),
        ] {
            let found = faults(cron, "UTC");
            assert_eq!(found.len(), 1, "{cron}");
            assert!(
                found[0].0 == "/cron" && found[0].1.contains(words),
                "{cron}: {found:?}"
            );
        }
        assert_eq!(faults("*/5 0 1,15 JAN-MAR MON", "Europe/Madrid"), []);
    }

    #[test]
    fn all_faulty_fields_of_an_expression_are_named() {
        let found = faults("60 0 32 1 9", "UTC");
        assert_eq!(found.len(), 3, "{found:?}");
        for ((pointer, detail), field) in
            found
                .iter()
                .zip(["minute (60)", "day of month (32)", "day of week (9)"])
        {
            assert!(pointer == "/cron" && detail.contains(field), "{found:?}");
        }
    }

    #[test]
    fn expression_and_zone_are_checked_and_a_zone_is_suggested() {
        let found = faults("0 0 * * 8", "Europe/Madird");
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].0, "/time_zone");
        assert!(found[1].1.ends_with("did you mean Europe/Madrid?"), "{found:?}");
        assert!(!faults("0 0 * * 1", "Nowhere/Else")[0].1.contains("did you mean"));
    }
}
