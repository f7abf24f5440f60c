//! Rules that leave rows out. The rows of each rule are counted separately.

use std::fmt;

use csv::StringRecord;

use crate::import::template::HeaderColumns;

/// Leaves out the rows that have exactly this value in this column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SkipRule {
    column: String,
    value: String,
}

impl SkipRule {
    /// Parses `column=value`. The value may be empty and may contain `=`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (column, value) = text
            .split_once('=')
            .ok_or_else(|| format!("`{text}`: write it like column=value"))?;
        Ok(Self {
            column: column.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl fmt::Display for SkipRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.column, self.value)
    }
}

/// The rules of an import, with their columns looked up.
#[derive(Clone, Debug)]
pub(crate) struct SkipRules(Vec<(usize, String)>);

impl SkipRules {
    /// Looks up the columns of the rules.
    pub(crate) fn bind(rules: &[SkipRule], columns: &HeaderColumns) -> Result<Self, String> {
        let bind = |rule: &SkipRule| Ok((columns.position(&rule.column)?, rule.value.clone()));
        rules.iter().map(bind).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the index of the first rule that leaves this row out.
    pub(crate) fn find_match(&self, record: &StringRecord) -> Option<usize> {
        self.0
            .iter()
            .position(|(column, value)| record.get(*column) == Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind_rules(texts: &[&str]) -> Result<SkipRules, String> {
        let rules: Vec<SkipRule> = texts.iter().map(|text| SkipRule::parse(text).unwrap()).collect();
        SkipRules::bind(
            &rules,
            &HeaderColumns::new(StringRecord::from(vec!["scorer", "own_goal", "note"])),
        )
    }

    #[test]
    fn the_first_matching_rule_skips_the_row() {
        let rules = bind_rules(&["own_goal=TRUE", "scorer=NA", "note=", "note=a=b"]).unwrap();
        let matching = |row: [&str; 3]| rules.find_match(&StringRecord::from(row.to_vec()));
        assert_eq!(matching(["NA", "TRUE", "x"]), Some(0));
        assert_eq!(matching(["NA", "FALSE", "x"]), Some(1));
        assert_eq!(matching(["Ada", "FALSE", ""]), Some(2));
        assert_eq!(matching(["Ada", "FALSE", "a=b"]), Some(3));
        assert_eq!(matching(["NANA", "true", " "]), None);
    }

    #[test]
    fn invalid_rules_are_refused() {
        assert!(SkipRule::parse("own_goal").is_err());
        assert!(
            bind_rules(&["penalty=TRUE"])
                .unwrap_err()
                .contains("no column `penalty`")
        );
        assert_eq!(
            SkipRule::parse("own_goal=TRUE").unwrap().to_string(),
            "own_goal=TRUE"
        );
    }
}
