//! Templates: text with columns in braces, such as `{scorer} ({team})`.

use csv::StringRecord;

use crate::suggest;

/// A parsed template. Its columns have not been looked up in a file yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowTemplate(Vec<TemplatePart<String>>);

/// A template whose columns are positions in a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BoundTemplate(Vec<TemplatePart<usize>>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum TemplatePart<C> {
    Text(String),
    Column(C),
}

impl RowTemplate {
    /// Parses a template. `{{` and `}}` mean braces.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(position) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(position);
            literal.push_str(before);
            if let Some(after) = from.strip_prefix("{{") {
                literal.push('{');
                rest = after;
            } else if let Some(after) = from.strip_prefix("}}") {
                literal.push('}');
                rest = after;
            } else if let Some(inside) = from.strip_prefix('{') {
                let (column, after) = inside
                    .split_once('}')
                    .ok_or_else(|| format!("`{text}`: a `{{` is not closed"))?;
                if column.is_empty() || column.contains('{') {
                    return Err(format!(
                        "`{text}`: there must be a column's name between `{{` and `}}`"
                    ));
                }
                if !literal.is_empty() {
                    parts.push(TemplatePart::Text(std::mem::take(&mut literal)));
                }
                parts.push(TemplatePart::Column(column.to_owned()));
                rest = after;
            } else {
                return Err(format!(
                    "`{text}`: a `}}` closes nothing; write `}}}}` for a brace itself"
                ));
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(TemplatePart::Text(literal));
        }
        Ok(Self(parts))
    }

    /// Returns the text of a template that has no columns; `None` if it has columns.
    fn constant(&self) -> Option<&str> {
        match self.0.as_slice() {
            [TemplatePart::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Replaces the names of columns by their positions.
    pub(crate) fn bind(&self, columns: &HeaderColumns) -> Result<BoundTemplate, String> {
        let bind = |part: &TemplatePart<String>| match part {
            TemplatePart::Text(text) => Ok(TemplatePart::Text(text.clone())),
            TemplatePart::Column(name) => columns.position(name).map(TemplatePart::Column),
        };
        self.0
            .iter()
            .map(bind)
            .collect::<Result<_, _>>()
            .map(BoundTemplate)
    }
}

impl BoundTemplate {
    /// Renders the template for a row.
    pub(crate) fn render(&self, record: &StringRecord) -> String {
        let mut text = String::new();
        for part in &self.0 {
            text.push_str(match part {
                TemplatePart::Text(literal) => literal,
                TemplatePart::Column(position) => record.get(*position).unwrap_or_default(),
            });
        }
        text
    }
}

/// The header line of a file.
#[derive(Clone, Debug)]
pub(crate) struct HeaderColumns(StringRecord);

impl HeaderColumns {
    /// Creates the columns from the header line.
    pub(crate) fn new(header: StringRecord) -> Self {
        Self(header)
    }

    /// Returns the position of the column `name`.
    pub(crate) fn position(&self, name: &str) -> Result<usize, String> {
        let mut found = self
            .0
            .iter()
            .enumerate()
            .filter(|(_position, column)| *column == name);
        match (found.next(), found.next()) {
            (Some((position, _name)), None) => Ok(position),
            (Some(_first), Some(_second)) => Err(format!("the column `{name}` stands twice in the header")),
            (None, _) => Err(format!(
                "there is no column `{name}`{}",
                suggest::format_suggestion(name, "the columns are", self.0.iter())
            )),
        }
    }

    /// Refuses a template that is a column's name without braces: it would be the same text for every row.
    pub(crate) fn refuse_bare_name(&self, template: &RowTemplate) -> Result<(), String> {
        let Some(text) = template.constant() else {
            return Ok(());
        };
        let mut columns = self.0.iter();
        match columns.find(|column| column.trim().eq_ignore_ascii_case(text.trim())) {
            None => Ok(()),
            Some(column) => Err(format!(
                "`{text}` is the name of a column; write `{{{column}}}` for what is in it"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create_columns() -> HeaderColumns {
        HeaderColumns::new(StringRecord::from(vec!["date", "scorer", "team", "own goal"]))
    }

    fn render_template(template: &str) -> String {
        let record = StringRecord::from(vec!["1916-07-02", "José Piendibene", "Uruguay", "{x}"]);
        RowTemplate::parse(template)
            .unwrap()
            .bind(&create_columns())
            .unwrap()
            .render(&record)
    }

    #[test]
    fn a_template_fills_in_columns_and_keeps_other_text() {
        assert_eq!(render_template("{scorer} ({team})"), "José Piendibene (Uruguay)");
        assert_eq!(render_template("{date}{date}"), "1916-07-021916-07-02");
        assert_eq!(render_template("1"), "1");
        assert_eq!(render_template(""), "");
        assert_eq!(render_template("{{{team}}} {{}}"), "{Uruguay} {}");
    }

    #[test]
    fn braces_in_a_cell_are_not_expanded() {
        assert_eq!(render_template("{own goal}"), "{x}");
    }

    #[test]
    fn malformed_templates_are_refused() {
        for broken in ["{scorer", "scorer}", "{}", "a {b {c}}", "{{a}"] {
            assert!(RowTemplate::parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn an_unknown_column_is_reported_with_the_existing_columns() {
        let error = RowTemplate::parse("{player}")
            .unwrap()
            .bind(&create_columns())
            .unwrap_err();
        assert_eq!(
            error,
            "there is no column `player`; the columns are: date, scorer, team, own goal"
        );
        let error = RowTemplate::parse("{scorrer}")
            .unwrap()
            .bind(&create_columns())
            .unwrap_err();
        assert_eq!(error, "there is no column `scorrer`; did you mean `scorer`?");
        let twice = HeaderColumns::new(StringRecord::from(vec!["a", "a"]));
        assert!(twice.position("a").unwrap_err().contains("twice"));
    }
}
