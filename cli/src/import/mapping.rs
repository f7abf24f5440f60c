//! Maps a row of the file to a submission.

use csv::StringRecord;
use serde_json::value::RawValue;

use crate::error::CliError;
use crate::import::identity::{RowContent, RowIds};
use crate::import::rows::CsvFormat;
use crate::import::settings::MappingSettings;
use crate::import::skip::{SkipRule, SkipRules};
use crate::import::template::{BoundTemplate, HeaderColumns, RowTemplate};
use crate::instant;
use crate::number::{NamedIntegers, ThousandsSeparator};
use crate::wire::SubmissionBody;

/// The column whose value can be sent as `score` instead of `values`.
const SCORE: &str = "score";

/// A checked mapping, not yet bound to the columns of a file.
#[derive(Clone, Debug)]
pub(crate) struct Mapping {
    /// The leaderboards that receive every row.
    pub(crate) leaderboards: Vec<String>,
    /// The format of the file.
    pub(crate) form: CsvFormat,
    /// Which rows to skip.
    pub(crate) skip: Vec<SkipRule>,
    templates: Templates<RowTemplate>,
    thousands: Option<ThousandsSeparator>,
}

/// A mapping bound to the columns of a file.
#[derive(Debug)]
pub(crate) struct RowMapper<'a> {
    mapping: &'a Mapping,
    skip: SkipRules,
    templates: Templates<BoundTemplate>,
}

/// The templates of a mapping.
#[derive(Clone, Debug)]
struct Templates<T> {
    player: T,
    values: Vec<(String, T)>,
    time: Option<T>,
    id: Option<T>,
    metadata: Vec<(String, T)>,
}

impl<T> Templates<T> {
    /// Converts every template. `convert` also gets the name of the template's setting.
    fn try_map<U>(&self, convert: impl Fn(&str, &T) -> Result<U, String>) -> Result<Templates<U>, String> {
        let one = |name, template: &Option<T>| template.as_ref().map(|it| convert(name, it)).transpose();
        let named = |templates: &[(String, T)]| {
            let convert = |(name, it): &(String, T)| Ok((name.clone(), convert(name, it)?));
            templates.iter().map(convert).collect::<Result<_, String>>()
        };
        Ok(Templates {
            player: convert("player", &self.player)?,
            time: one("time", &self.time)?,
            id: one("id", &self.id)?,
            values: named(&self.values)?,
            metadata: named(&self.metadata)?,
        })
    }
}

/// The result of mapping a row.
#[derive(Debug)]
pub(crate) enum RowMapping {
    /// The row is left out by the skip rule with this index.
    Skipped(usize),
    /// The row is sent.
    Row(MappedRow),
}

/// The content of a row, before it gets an id.
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
    pub(crate) fn new(settings: &MappingSettings) -> Result<Self, CliError> {
        Self::check(settings).map_err(CliError::Usage)
    }

    fn check(settings: &MappingSettings) -> Result<Self, String> {
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
        let texts = Templates {
            player: player.to_owned(),
            values: settings
                .values
                .iter()
                .map(|(name, value)| (name.clone(), value.template()))
                .collect(),
            time: settings.time.clone(),
            id: settings.id.clone(),
            metadata: settings.metadata.clone().into_iter().collect(),
        };
        Ok(Self {
            leaderboards: settings.leaderboards.clone(),
            form: CsvFormat {
                delimiter: parse_delimiter(settings.delimiter.as_deref())?,
                trim: settings.trim,
            },
            thousands: settings
                .thousands_separator
                .as_deref()
                .map(str::parse)
                .transpose()?,
            skip: settings
                .skip
                .iter()
                .map(|rule| SkipRule::parse(rule))
                .collect::<Result<_, _>>()?,
            templates: texts.try_map(|_setting, text| RowTemplate::parse(text))?,
        })
    }

    /// Binds the templates and rules to the columns of a file.
    pub(crate) fn bind(&self, columns: &HeaderColumns) -> Result<RowMapper<'_>, CliError> {
        self.bind_columns(columns).map_err(CliError::Usage)
    }

    fn bind_columns(&self, columns: &HeaderColumns) -> Result<RowMapper<'_>, String> {
        self.templates.try_map(|setting, template| {
            columns
                .refuse_bare_name(template)
                .map_err(|error| format!("{setting}: {error}"))
        })?;
        Ok(RowMapper {
            mapping: self,
            skip: SkipRules::bind(&self.skip, columns)?,
            templates: self
                .templates
                .try_map(|_setting, template| template.bind(columns))?,
        })
    }
}

impl RowMapper<'_> {
    /// Maps one row. The error says why the row cannot be mapped.
    pub(crate) fn map(&self, record: &StringRecord) -> Result<RowMapping, String> {
        if let Some(rule) = self.skip.find_match(record) {
            return Ok(RowMapping::Skipped(rule));
        }
        let templates = &self.templates;
        let player = templates.player.render(record);
        if player.is_empty() {
            return Err("the player is empty".into());
        }
        let value = |(name, template): &(String, BoundTemplate)| {
            let text = template.render(record);
            let value = match self.mapping.thousands {
                Some(thousands) => thousands.parse(text.trim()),
                None => text.trim().parse(),
            };
            Ok((name.clone(), value.map_err(|error| format!("{name}: {error}"))?))
        };
        let values = NamedIntegers(
            templates
                .values
                .iter()
                .map(value)
                .collect::<Result<_, String>>()?,
        );
        let time = templates
            .time
            .as_ref()
            .map(|template| instant::normalise_instant(&template.render(record)));
        let id = templates.id.as_ref().map(|template| template.render(record));
        if id.as_ref().is_some_and(String::is_empty) {
            return Err("the id is empty".into());
        }
        Ok(RowMapping::Row(MappedRow {
            player,
            values,
            occurred_at: time.transpose().map_err(|error| format!("time: {error}"))?,
            metadata: self.metadata(record)?,
            id,
        }))
    }

    fn metadata(&self, record: &StringRecord) -> Result<Option<Box<RawValue>>, String> {
        if self.templates.metadata.is_empty() {
            return Ok(None);
        }
        let fields: serde_json::Map<String, serde_json::Value> = self
            .templates
            .metadata
            .iter()
            .map(|(name, template)| (name.clone(), template.render(record).into()))
            .collect();
        serde_json::value::to_raw_value(&fields)
            .map(Some)
            .map_err(|error| format!("metadata: {error}"))
    }

    /// Writes the submission as JSON. Rows must come in the order of the file, without skipped rows, because
    /// rows of equal content get different ids by their order.
    pub(crate) fn submission(&self, row: &MappedRow, ids: &mut RowIds) -> Result<String, String> {
        let metadata = row.metadata.as_deref();
        let id = row.id.clone().unwrap_or_else(|| {
            ids.next_id(&RowContent {
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
        let submission = SubmissionBody {
            leaderboards: &self.mapping.leaderboards,
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

fn parse_delimiter(text: Option<&str>) -> Result<u8, String> {
    match text.map(str::as_bytes) {
        None => Ok(b','),
        Some(b"tab" | b"\\t") => Ok(b'\t'),
        Some([byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => Ok(*byte),
        Some(_) => Err("a delimiter is one ASCII character, or `tab`".into()),
    }
}

#[cfg(test)]
mod tests;
