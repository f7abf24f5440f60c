//! Tests of the mapping of rows to submissions.

use super::*;
use crate::import::settings::ValueSetting;

fn create_settings() -> MappingSettings {
    MappingSettings {
        leaderboards: vec!["goals".into(), "goals-by-year".into()],
        player: Some("{scorer} ({team})".into()),
        time: Some("{date}".into()),
        values: [("score".to_owned(), ValueSetting::Constant(1))].into(),
        ..MappingSettings::default()
    }
}

/// Maps a row with `settings`, and returns its submission.
fn map_to_json(settings: &MappingSettings, row: [&str; 4]) -> Result<serde_json::Value, String> {
    let columns = HeaderColumns::new(StringRecord::from(vec!["date", "team", "scorer", "points"]));
    let mapping = Mapping::new(settings).unwrap();
    let mapper = mapping.bind(&columns).unwrap();
    let RowMapping::Row(row) = mapper.map(&StringRecord::from(row.to_vec()))? else {
        panic!("skipped")
    };
    Ok(serde_json::from_str(&mapper.submission(&row, &mut RowIds::default())?).unwrap())
}

/// A row of the columns date, team, scorer and points.
const ROW: [&str; 4] = ["1916-07-02", "Uruguay", "José Piendibene", "-9223372036854775808"];

#[test]
fn a_row_becomes_one_submission_to_both_leaderboards() {
    let submission = map_to_json(&create_settings(), ROW).unwrap();
    assert_eq!(
        submission["leaderboards"],
        serde_json::json!(["goals", "goals-by-year"])
    );
    assert_eq!(submission["player"], "José Piendibene (Uruguay)");
    assert_eq!(submission["score"], 1);
    assert_eq!(submission["occurred_at"], "1916-07-02T00:00:00Z");
    assert_eq!(submission["id"].as_str().unwrap().len(), 32);
    assert!(submission.get("metadata").is_none() && submission.get("values").is_none());
}

#[test]
fn templates_set_values_metadata_and_id_and_numbers_stay_exact() {
    let mut settings = create_settings();
    settings
        .values
        .insert("points".into(), ValueSetting::Template(" {points} ".into()));
    settings.metadata.insert("team".into(), "{team}".into());
    settings.id = Some("{date}/{scorer}".into());
    let submission = map_to_json(&settings, ROW).unwrap();
    assert_eq!(
        submission["values"],
        serde_json::json!({"points": "-9223372036854775808", "score": 1})
    );
    assert_eq!(submission["metadata"], serde_json::json!({"team": "Uruguay"}));
    assert_eq!(submission["id"], "1916-07-02/José Piendibene");
}

#[test]
fn an_unmappable_row_gives_the_reason() {
    let mut settings = create_settings();
    settings
        .values
        .insert("points".into(), ValueSetting::Template("{points}".into()));
    let error = |row| map_to_json(&settings, row).unwrap_err();
    assert_eq!(
        error(["1916-07-02", "U", "J", "1.5"]),
        "points: `1.5` is not a whole number of 64 bits"
    );
    assert!(error(["NA", "U", "J", "1"]).starts_with("time: `NA` is neither"));
    settings.player = Some("{scorer}".into());
    assert_eq!(
        map_to_json(&settings, ["1916-07-02", "U", "", "1"]).unwrap_err(),
        "the player is empty"
    );
}

#[test]
fn a_column_name_without_braces_is_refused_as_a_template() {
    type Setting = fn(&mut MappingSettings);
    let cases: [(Setting, &str); 5] = [
        (
            |settings| settings.player = Some("scorer".into()),
            "player: `scorer` is the name of a column; write `{scorer}` for what is in it",
        ),
        (|settings| settings.time = Some("Date".into()), "time: `Date` is"),
        (|settings| settings.id = Some(" team ".into()), "id: ` team ` is"),
        (
            |settings| {
                let points = ValueSetting::Template("points".into());
                settings.values.insert("score".into(), points);
            },
            "score: `points` is",
        ),
        (
            |settings| {
                settings.metadata.insert("team".into(), "team".into());
            },
            "team: `team` is",
        ),
    ];
    for (set, expected) in cases {
        let mut settings = create_settings();
        set(&mut settings);
        let columns = HeaderColumns::new(StringRecord::from(vec!["date", "team", "scorer", "points"]));
        let error = Mapping::new(&settings).unwrap().bind(&columns).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

#[test]
fn an_incomplete_or_invalid_mapping_is_refused_with_the_reason() {
    type Breaking = fn(&mut MappingSettings);
    let cases: [(Breaking, &str); 5] = [
        (|settings| settings.leaderboards.clear(), "--leaderboard"),
        (|settings| settings.player = None, "--player"),
        (|settings| settings.values.clear(), "--value"),
        (|settings| settings.delimiter = Some(";;".into()), "delimiter"),
        (|settings| settings.time = Some("{date".into()), "not closed"),
    ];
    for (breaking, expected) in cases {
        let mut settings = create_settings();
        breaking(&mut settings);
        let error = Mapping::new(&settings).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert_eq!(parse_delimiter(Some("tab")), Ok(b'\t'));
    assert_eq!(parse_delimiter(Some(";")), Ok(b';'));
}
