//! The mapping in the form that users write: a TOML file, flags, or both.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::args::import::MappingArgs;
use crate::error::CliError;

/// All settings of a mapping, as text.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MappingSettings {
    /// The leaderboards that receive every row.
    pub(crate) leaderboards: Vec<String>,
    /// The template of the player.
    pub(crate) player: Option<String>,
    /// The template of the time of the score.
    pub(crate) time: Option<String>,
    /// The template of the id.
    pub(crate) id: Option<String>,
    /// The rows to leave out, each as `column=value`.
    pub(crate) skip: Vec<String>,
    /// The character between the fields.
    pub(crate) delimiter: Option<String>,
    /// Whether white space around each cell is removed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) trim: bool,
    /// The character between the thousands of a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thousands_separator: Option<String>,
    /// The templates of the values by column.
    pub(crate) values: BTreeMap<String, ValueSetting>,
    /// The templates of the metadata's fields.
    pub(crate) metadata: BTreeMap<String, String>,
    /// The configurations of leaderboards to create if they do not exist. The fingerprint does not include them.
    #[serde(skip_serializing)]
    pub(crate) create: BTreeMap<String, toml::Table>,
}

/// The value of a column: a number, or a template for a number.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum ValueSetting {
    /// The same value for every row.
    Constant(i64),
    /// A template, rendered for each row.
    Template(String),
}

impl ValueSetting {
    /// Returns the template's text.
    pub(crate) fn template(&self) -> String {
        match self {
            Self::Constant(value) => value.to_string(),
            Self::Template(text) => text.clone(),
        }
    }
}

impl MappingSettings {
    /// Reads the mapping file, if there is one. A flag replaces the setting of the file.
    pub(crate) fn load(args: &MappingArgs) -> Result<Self, CliError> {
        let mut settings = args
            .config
            .as_deref()
            .map(Self::read)
            .transpose()?
            .unwrap_or_default();
        settings.replace(args)?;
        Ok(settings)
    }

    fn read(path: &Path) -> Result<Self, CliError> {
        let text = std::fs::read_to_string(path).map_err(|error| CliError::file(path, error))?;
        toml::from_str(&text).map_err(|error| CliError::Usage(format!("{}: {error}", path.display())))
    }

    fn replace(&mut self, args: &MappingArgs) -> Result<(), CliError> {
        let options = [
            (&mut self.player, &args.player),
            (&mut self.time, &args.time),
            (&mut self.id, &args.id),
            (&mut self.delimiter, &args.delimiter),
            (&mut self.thousands_separator, &args.thousands_separator),
        ];
        for (setting, flag) in options {
            if flag.is_some() {
                setting.clone_from(flag);
            }
        }
        for (setting, flag) in [
            (&mut self.leaderboards, &args.leaderboards),
            (&mut self.skip, &args.skip),
        ] {
            if !flag.is_empty() {
                setting.clone_from(flag);
            }
        }
        self.trim |= args.trim;
        if !args.values.is_empty() {
            let pairs = split_pairs("--value", &args.values)?;
            self.values = pairs
                .map(|(name, template)| (name, ValueSetting::Template(template)))
                .collect();
        }
        if !args.metadata.is_empty() {
            self.metadata = split_pairs("--metadata", &args.metadata)?.collect();
        }
        Ok(())
    }

    /// Returns a SHA-256 of the settings that decide what is sent. A checkpoint belongs to one fingerprint.
    pub(crate) fn fingerprint(&self) -> Result<String, CliError> {
        let mut settings = self.clone();
        // `score = 1` and `--value score=1` are the same mapping.
        for value in settings.values.values_mut() {
            *value = ValueSetting::Template(value.template());
        }
        let json = serde_json::to_vec(&settings).map_err(|error| CliError::Usage(error.to_string()))?;
        Ok(format!("{:x}", Sha256::digest(json)))
    }
}

fn split_pairs(flag: &str, pairs: &[String]) -> Result<impl Iterator<Item = (String, String)>, CliError> {
    let mut split = BTreeMap::new();
    for pair in pairs {
        let (name, template) = pair
            .split_once('=')
            .ok_or_else(|| CliError::Usage(format!("{flag} {pair}: write it like name=template")))?;
        if split.insert(name.to_owned(), template.to_owned()).is_some() {
            return Err(CliError::Usage(format!("{flag} {name} is given twice")));
        }
    }
    Ok(split.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_mapping_file(text: &str) -> (tempfile::TempDir, MappingArgs) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mapping.toml");
        std::fs::write(&path, text).unwrap();
        (
            directory,
            MappingArgs {
                config: Some(path),
                ..MappingArgs::default()
            },
        )
    }

    /// A mapping file with one leaderboard.
    const FILE: &str = "leaderboards = ['goals']\nplayer = '{scorer}'\nskip = ['a=b']\n[values]\nscore = 1\n\
                        [create.goals]\noperator = 'increment'\n";

    #[test]
    fn a_flag_replaces_its_setting_of_the_file_and_keeps_other_settings() {
        let (_directory, mut args) = write_mapping_file(FILE);
        args.player = Some("{scorer} ({team})".into());
        args.values = vec!["points={p}=x".into()];
        let settings = MappingSettings::load(&args).unwrap();
        assert_eq!(settings.player.as_deref(), Some("{scorer} ({team})"));
        assert_eq!(settings.leaderboards, ["goals"]);
        assert_eq!(settings.skip, ["a=b"]);
        assert_eq!(settings.values["points"], ValueSetting::Template("{p}=x".into()));
        assert_eq!(settings.values.len(), 1);
        assert!(settings.create.contains_key("goals"));
    }

    #[test]
    fn the_fingerprint_depends_only_on_the_mapping() {
        let (_directory, mut args) = write_mapping_file(FILE);
        let base = MappingSettings::load(&args).unwrap().fingerprint().unwrap();
        args.values = vec!["score=1".into()];
        assert_eq!(
            MappingSettings::load(&args).unwrap().fingerprint().unwrap(),
            base,
            "a constant in a flag equals the constant in the file"
        );
        args.skip = vec!["a=c".into()];
        assert_ne!(MappingSettings::load(&args).unwrap().fingerprint().unwrap(), base);
        let (_other, args) = write_mapping_file(&FILE.replace("increment", "best"));
        assert_eq!(
            MappingSettings::load(&args).unwrap().fingerprint().unwrap(),
            base,
            "the configurations of new leaderboards are not part of the mapping"
        );
    }

    #[test]
    fn a_misspelt_setting_is_refused() {
        let (_directory, args) = write_mapping_file("leaderbords = ['goals']");
        let error = MappingSettings::load(&args).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("leaderbords"), "{error}");
    }

    #[test]
    fn a_missing_file_and_an_invalid_pair_have_different_exit_codes() {
        let missing = MappingArgs {
            config: Some("no-such.toml".into()),
            ..MappingArgs::default()
        };
        assert_eq!(MappingSettings::load(&missing).unwrap_err().exit_code(), 5);
        for values in [vec!["score".to_owned()], vec!["a=1".to_owned(), "a=2".to_owned()]] {
            let args = MappingArgs {
                values,
                ..MappingArgs::default()
            };
            assert_eq!(MappingSettings::load(&args).unwrap_err().exit_code(), 2);
        }
    }
}
