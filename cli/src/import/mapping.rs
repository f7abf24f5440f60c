//! From a row of the file to a submission.

use csv::StringRecord;
use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::import::identity::{Content, Identities};
use crate::import::settings::Settings;
use crate::import::skip::{SkipRule, SkipRules};
use crate::import::template::{Bound, Columns, Template};
use crate::instant;
use crate::number::{Integer, NamedIntegers};
use crate::wire::Submission;

/// The column that can be written in short.
const SCORE: &str = "score";

/// A checked mapping, not yet bound to the columns of a file.
#[derive(Clone, Debug)]
pub(crate) struct Mapping {
    /// Where every row goes.
    pub(crate) leaderboards: Vec<String>,
    /// What separates the fields.
    pub(crate) delimiter: u8,
    /// What is left out.
    pub(crate) skip: Vec<SkipRule>,
    player: Template,
    values: Vec<(String, Template)>,
    time: Option<Template>,
    id: Option<Template>,
    metadata: Vec<(String, Template)>,
}

/// A mapping bound to the columns of a file.
#[derive(Clone, Debug)]
pub(crate) struct RowMapper {
    leaderboards: Vec<String>,
    skip: SkipRules,
    player: Bound,
    values: Vec<(String, Bound)>,
    time: Option<Bound>,
    id: Option<Bound>,
    metadata: Vec<(String, Bound)>,
}

/// What becomes of a row.
#[derive(Debug)]
pub(crate) enum Mapped {
    /// Left out by the rule at this position.
    Skipped(usize),
    /// To be sent.
    Row(MappedRow),
}

/// What a row says, before it is given an id.
#[derive(Debug)]
pub(crate) struct MappedRow {
    /// The player.
    pub(crate) player: String,
    values: NamedIntegers,
    occurred_at: Option<String>,
    metadata: Option<Box<RawValue>>,
    id: Option<String>,
}

impl Mapping {
    /// Checks the settings.
    pub(crate) fn new(settings: &Settings) -> Result<Self, Failure> {
        Self::check(settings).map_err(Failure::Usage)
    }

    fn check(settings: &Settings) -> Result<Self, String> {
        if settings.leaderboards.is_empty() {
            return Err("no leaderboard: give --leaderboard, or `leaderboards` in the mapping file".into());
        }
        let player = settings
            .player
            .as_deref()
            .ok_or("no player: give --player, or `player` in the mapping file")?;
        if settings.values.is_empty() {
            return Err(
                "no value: give --value, such as --value score=1, or `[values]` in the mapping file".into(),
            );
        }
        let template = |text: &String| Template::parse(text);
        Ok(Self {
            leaderboards: settings.leaderboards.clone(),
            delimiter: delimiter(settings.delimiter.as_deref())?,
            skip: settings
                .skip
                .iter()
                .map(|rule| SkipRule::parse(rule))
                .collect::<Result<_, _>>()?,
            player: Template::parse(player)?,
            values: named(
                settings
                    .values
                    .iter()
                    .map(|(name, value)| (name, value.template())),
            )?,
            time: settings.time.as_ref().map(template).transpose()?,
            id: settings.id.as_ref().map(template).transpose()?,
            metadata: named(
                settings
                    .metadata
                    .iter()
                    .map(|(name, value)| (name, value.clone())),
            )?,
        })
    }

    /// Looks up the columns.
    pub(crate) fn bind(&self, columns: &Columns) -> Result<RowMapper, Failure> {
        self.look_up(columns).map_err(Failure::Usage)
    }

    fn look_up(&self, columns: &Columns) -> Result<RowMapper, String> {
        let bind = |template: &Template| template.bind(columns);
        let bind_named = |(name, template): &(String, Template)| Ok((name.clone(), template.bind(columns)?));
        Ok(RowMapper {
            leaderboards: self.leaderboards.clone(),
            skip: SkipRules::bind(&self.skip, columns)?,
            player: self.player.bind(columns)?,
            values: self
                .values
                .iter()
                .map(bind_named)
                .collect::<Result<_, String>>()?,
            time: self.time.as_ref().map(bind).transpose()?,
            id: self.id.as_ref().map(bind).transpose()?,
            metadata: self
                .metadata
                .iter()
                .map(bind_named)
                .collect::<Result<_, String>>()?,
        })
    }
}

impl RowMapper {
    /// Maps one row; the error says what is wrong with it.
    pub(crate) fn map(&self, record: &StringRecord) -> Result<Mapped, String> {
        if let Some(rule) = self.skip.matching(record) {
            return Ok(Mapped::Skipped(rule));
        }
        let player = self.player.render(record);
        if player.is_empty() {
            return Err("the player is empty".into());
        }
        let value = |(name, template): &(String, Bound)| {
            let value: Integer = template
                .render(record)
                .trim()
                .parse()
                .map_err(|error| format!("{name}: {error}"))?;
            Ok((name.clone(), value))
        };
        let values = NamedIntegers(self.values.iter().map(value).collect::<Result<_, String>>()?);
        let time = self
            .time
            .as_ref()
            .map(|template| instant::normalise(&template.render(record)));
        let id = self.id.as_ref().map(|template| template.render(record));
        if id.as_ref().is_some_and(String::is_empty) {
            return Err("the id is empty".into());
        }
        Ok(Mapped::Row(MappedRow {
            player,
            values,
            occurred_at: time.transpose().map_err(|error| format!("time: {error}"))?,
            metadata: self.metadata(record)?,
            id,
        }))
    }

    fn metadata(&self, record: &StringRecord) -> Result<Option<Box<RawValue>>, String> {
        if self.metadata.is_empty() {
            return Ok(None);
        }
        let fields: serde_json::Map<String, serde_json::Value> = self
            .metadata
            .iter()
            .map(|(name, template)| (name.clone(), template.render(record).into()))
            .collect();
        serde_json::value::to_raw_value(&fields)
            .map(Some)
            .map_err(|error| format!("metadata: {error}"))
    }

    /// The submission as JSON. Rows must come in the order of the file, skipped ones left out, because
    /// rows that say the same get different ids by their order.
    pub(crate) fn submission(&self, row: &MappedRow, identities: &mut Identities) -> Result<String, String> {
        let metadata = row.metadata.as_deref();
        let id = row.id.clone().unwrap_or_else(|| {
            identities.next(&Content {
                player: &row.player,
                values: &row.values,
                occurred_at: row.occurred_at.as_deref(),
                metadata: metadata.map(RawValue::get),
            })
        });
        let score = match row.values.0.as_slice() {
            [(name, score)] if name == SCORE => Some(*score),
            _ => None,
        };
        let submission = Submission {
            leaderboards: &self.leaderboards,
            player: &row.player,
            score,
            values: score.is_none().then_some(&row.values),
            metadata,
            occurred_at: row.occurred_at.as_deref(),
            id: Some(&id),
        };
        serde_json::to_string(&submission).map_err(|error| error.to_string())
    }
}

fn named<'a>(pairs: impl Iterator<Item = (&'a String, String)>) -> Result<Vec<(String, Template)>, String> {
    pairs
        .map(|(name, text)| Ok((name.clone(), Template::parse(&text)?)))
        .collect()
}

fn delimiter(text: Option<&str>) -> Result<u8, String> {
    match text.map(str::as_bytes) {
        None => Ok(b','),
        Some(b"tab" | b"\\t") => Ok(b'\t'),
        Some([byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => Ok(*byte),
        Some(_) => Err("a delimiter is one ASCII character, or `tab`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::settings::ValueSetting;

    fn settings() -> Settings {
        Settings {
            leaderboards: vec!["goals".into(), "goals-by-year".into()],
            player: Some("{scorer} ({team})".into()),
            time: Some("{date}".into()),
            values: [("score".to_owned(), ValueSetting::Constant(1))].into(),
            ..Settings::default()
        }
    }

    fn mapper(settings: &Settings) -> RowMapper {
        let columns = Columns::new(StringRecord::from(vec!["date", "team", "scorer", "points"]));
        Mapping::new(settings).unwrap().bind(&columns).unwrap()
    }

    fn json(settings: &Settings, row: [&str; 4]) -> Result<serde_json::Value, String> {
        let mapper = mapper(settings);
        let Mapped::Row(row) = mapper.map(&StringRecord::from(row.to_vec()))? else {
            panic!("skipped")
        };
        Ok(serde_json::from_str(&mapper.submission(&row, &mut Identities::default())?).unwrap())
    }

    const ROW: [&str; 4] = ["1916-07-02", "Uruguay", "José Piendibene", "-9223372036854775808"];

    #[test]
    fn a_goal_becomes_one_submission_to_both_leaderboards() {
        let submission = json(&settings(), ROW).unwrap();
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
    fn columns_metadata_and_ids_come_from_templates_and_numbers_stay_exact() {
        let mut settings = settings();
        settings
            .values
            .insert("points".into(), ValueSetting::Template(" {points} ".into()));
        settings.metadata.insert("team".into(), "{team}".into());
        settings.id = Some("{date}/{scorer}".into());
        let submission = json(&settings, ROW).unwrap();
        assert_eq!(
            submission["values"],
            serde_json::json!({"points": "-9223372036854775808", "score": 1})
        );
        assert_eq!(submission["metadata"], serde_json::json!({"team": "Uruguay"}));
        assert_eq!(submission["id"], "1916-07-02/José Piendibene");
    }

    #[test]
    fn a_row_that_cannot_be_mapped_says_why() {
        let mut settings = settings();
        settings
            .values
            .insert("points".into(), ValueSetting::Template("{points}".into()));
        let error = |row| json(&settings, row).unwrap_err();
        assert_eq!(
            error(["1916-07-02", "U", "J", "1.5"]),
            "points: `1.5` is not a whole number of 64 bits"
        );
        assert!(error(["NA", "U", "J", "1"]).starts_with("time: `NA` is neither"));
        settings.player = Some("{scorer}".into());
        assert_eq!(
            json(&settings, ["1916-07-02", "U", "", "1"]).unwrap_err(),
            "the player is empty"
        );
    }

    #[test]
    fn a_mapping_without_its_essentials_is_refused_with_the_flag_to_give() {
        type Breaking = fn(&mut Settings);
        let cases: [(Breaking, &str); 5] = [
            (|settings| settings.leaderboards.clear(), "--leaderboard"),
            (|settings| settings.player = None, "--player"),
            (|settings| settings.values.clear(), "--value"),
            (|settings| settings.delimiter = Some(";;".into()), "delimiter"),
            (|settings| settings.time = Some("{date".into()), "not closed"),
        ];
        for (breaking, expected) in cases {
            let mut settings = settings();
            breaking(&mut settings);
            let error = Mapping::new(&settings).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        assert_eq!(delimiter(Some("tab")), Ok(b'\t'));
        assert_eq!(delimiter(Some(";")), Ok(b';'));
    }
}
