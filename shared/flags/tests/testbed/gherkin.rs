//! Parses the part of Gherkin that the testbed uses.

/// A scenario. Each example of a scenario outline is a scenario.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) tags: Vec<String>,
    pub(crate) steps: Vec<Step>,
}

/// One step, without its keyword.
#[derive(Debug, Clone, Default)]
pub(crate) struct Step {
    pub(crate) text: String,
    pub(crate) table: Vec<Vec<String>>,
}

impl Scenario {
    /// Returns the flag file that the scenario selects.
    pub(crate) fn selector(&self) -> Option<&str> {
        let step = self
            .steps
            .iter()
            .find(|step| step.text.starts_with("an option \"selector\""))?;
        list_quoted(&step.text).nth(2)
    }
}

/// Returns the parts of a step that are in quotes.
pub(crate) fn list_quoted(step: &str) -> impl Iterator<Item = &str> {
    step.split('"').skip(1).step_by(2)
}

/// A scenario and its examples: for each table, the tags and the rows.
#[derive(Default)]
struct Outline {
    scenario: Scenario,
    examples: Vec<(Vec<String>, Vec<Vec<String>>)>,
}

/// Parses the scenarios of a feature file.
pub(crate) fn parse_scenarios(text: &str) -> Vec<Scenario> {
    let (mut background, mut outlines): (Vec<Step>, Vec<Outline>) = (Vec::new(), Vec::new());
    let (mut feature_tags, mut tags): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        if line.starts_with('@') {
            tags.extend(line.split_whitespace().map(str::to_owned));
        } else if line.starts_with("Feature:") {
            feature_tags = std::mem::take(&mut tags);
        } else if line.starts_with("Scenario") {
            let name = line.split_once(": ").map_or(line, |(_, name)| name).to_owned();
            let mut tags = std::mem::take(&mut tags);
            tags.extend(feature_tags.clone());
            let scenario = Scenario {
                name,
                tags,
                steps: background.clone(),
            };
            outlines.push(Outline {
                scenario,
                examples: Vec::new(),
            });
        } else if line.starts_with("Examples:") {
            outlines
                .last_mut()
                .unwrap()
                .examples
                .push((std::mem::take(&mut tags), Vec::new()));
        } else if let Some(row) = line.strip_prefix('|') {
            let row = parse_cells(row);
            let outline = outlines.last_mut().unwrap();
            match outline.examples.last_mut() {
                Some((_, table)) => table.push(row),
                None => outline.scenario.steps.last_mut().unwrap().table.push(row),
            }
        } else if ["Given", "When", "Then", "And"].contains(&first) {
            let step = Step {
                text: rest.to_owned(),
                table: Vec::new(),
            };
            match outlines.last_mut() {
                Some(outline) => outline.scenario.steps.push(step),
                None => background.push(step),
            }
        }
    }
    outlines.iter().flat_map(fill_outline).collect()
}

/// Parses a row of a table.
fn parse_cells(row: &str) -> Vec<String> {
    let row = row.strip_suffix('|').unwrap_or(row);
    row.split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// Returns a scenario for each example of an outline.
fn fill_outline(outline: &Outline) -> Vec<Scenario> {
    if outline.examples.is_empty() {
        return vec![outline.scenario.clone()];
    }
    let mut filled = Vec::new();
    for (tags, table) in &outline.examples {
        let (names, rows) = table.split_first().unwrap();
        for row in rows {
            let mut scenario = outline.scenario.clone();
            scenario.tags.extend(tags.clone());
            scenario.name = format!("{} {row:?}", scenario.name);
            for step in &mut scenario.steps {
                for (name, cell) in names.iter().zip(row) {
                    step.text = step.text.replace(&format!("<{name}>"), cell);
                }
            }
            filled.push(scenario);
        }
    }
    filled
}
