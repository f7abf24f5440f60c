//! What Criterion leaves behind: a folder for each measurement, with `new/benchmark.json` (its name) and
//! `new/estimates.json` (nanoseconds).

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use super::Row;
use super::report::NAME_COLUMN;

#[derive(Deserialize)]
struct Name {
    full_id: String,
}

#[derive(Deserialize)]
struct Estimates {
    mean: Estimate,
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    /// Nanoseconds.
    point_estimate: f64,
}

/// The measurements below `folder` that were made after `since`, in order of their names.
///
/// # Errors
/// When a file cannot be read or is not Criterion's.
pub(super) fn read(folder: &Path, since: SystemTime) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    collect(folder, since, &mut rows)?;
    rows.sort_by_cached_key(|row| row.get(NAME_COLUMN).map(Value::to_string));
    Ok(rows)
}

fn collect(folder: &Path, since: SystemTime, rows: &mut Vec<Row>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if !path.is_dir() {
            continue;
        }
        let estimates = path.join("estimates.json");
        if !path.ends_with("new") {
            collect(&path, since, rows)?;
        } else if fs::metadata(&estimates)
            .and_then(|file| file.modified())
            .is_ok_and(|time| time >= since)
        {
            rows.push(measurement(&path)?);
        }
    }
    Ok(())
}

fn measurement(folder: &Path) -> Result<Row> {
    let name: Name = read_json(&folder.join("benchmark.json"))?;
    let estimates: Estimates = read_json(&folder.join("estimates.json"))?;
    let mut row = Row::new();
    row.insert(NAME_COLUMN.to_owned(), name.full_id.into());
    row.insert("mean".to_owned(), time(estimates.mean.point_estimate).into());
    row.insert("median".to_owned(), time(estimates.median.point_estimate).into());
    Ok(row)
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("cannot read {}", path.display()))
}

/// Nanoseconds in the unit that people would choose.
fn time(nanoseconds: f64) -> String {
    const UNITS: [(f64, &str); 3] = [(1e9, "s"), (1e6, "ms"), (1e3, "µs")];
    let (size, name) = UNITS
        .into_iter()
        .find(|(size, _)| nanoseconds >= *size)
        .unwrap_or((1.0, "ns"));
    format!("{:.2} {name}", nanoseconds / size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn measurements_are_read_when_they_are_new() {
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path().join("order_key/encode/new");
        fs::create_dir_all(&new).unwrap();
        fs::write(
            new.join("benchmark.json"),
            r#"{"full_id": "order_key/encode", "group_id": "order_key"}"#,
        )
        .unwrap();
        let estimates = r#"{"mean": {"point_estimate": 1234.5}, "median": {"point_estimate": 12.0}}"#;
        fs::write(new.join("estimates.json"), estimates).unwrap();
        let now = SystemTime::now();
        let rows = read(folder.path(), now - Duration::from_secs(60)).unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["measured"], "order_key/encode");
        assert_eq!(
            (&rows[0]["mean"], &rows[0]["median"]),
            (&"1.23 µs".into(), &"12.00 ns".into())
        );
        assert!(
            read(folder.path(), now + Duration::from_secs(60))
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn no_measurements_are_no_error() {
        assert!(
            read(Path::new("/nowhere/criterion"), SystemTime::UNIX_EPOCH)
                .unwrap()
                .is_empty()
        );
    }
}
