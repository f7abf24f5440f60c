//! The columns of a leaderboard and the values of an entry.

use crate::Invalid;

/// The most columns a leaderboard can have.
pub const MAX_COLUMNS: usize = 3;
/// The longest column name, in bytes.
pub const MAX_COLUMN_NAME_BYTES: usize = 32;

/// Whether larger or smaller values of a column are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Larger is better.
    Descending,
    /// Smaller is better.
    Ascending,
}

/// One column: a name and a direction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Column {
    name: Box<str>,
    order: Order,
}

impl Column {
    /// Creates a column with a name that matches `[a-z][a-z0-9_]{0,31}`.
    ///
    /// # Errors
    /// [`Invalid`] at `/name`.
    pub fn new(name: impl Into<Box<str>>, order: Order) -> Result<Self, Invalid> {
        let name = name.into();
        let mut bytes = name.bytes();
        let valid = bytes.next().is_some_and(|b| b.is_ascii_lowercase())
            && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            && name.len() <= MAX_COLUMN_NAME_BYTES;
        if valid {
            Ok(Self { name, order })
        } else {
            Err(Invalid::new("/name", "must match [a-z][a-z0-9_]{0,31}"))
        }
    }

    /// Returns the column's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the column's direction.
    #[must_use]
    pub fn order(&self) -> Order {
        self.order
    }
}

/// The columns of a leaderboard: 1 to 3, with different names. Entries are compared by the first column; if the values are equal,
/// by the next column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Columns(Vec<Column>);

impl Columns {
    /// Creates columns after a check of their number and names.
    ///
    /// # Errors
    /// The first fault of [`Columns::find_faults`].
    pub fn new(columns: Vec<Column>) -> Result<Self, Invalid> {
        match Self::find_faults(&columns).into_iter().next() {
            Some(fault) => Err(fault),
            None => Ok(Self(columns)),
        }
    }

    /// Returns every fault of a list of columns. A column that repeats an earlier name has a fault at its own pointer; a wrong
    /// number of columns is a fault at the empty pointer.
    #[must_use]
    pub fn find_faults(columns: &[Column]) -> Vec<Invalid> {
        let names: Vec<Option<&str>> = columns.iter().map(|column| Some(column.name())).collect();
        Self::find_faults_of_names(&names)
    }

    /// Does the same as [`Columns::find_faults`] for names of columns that may be malformed; `None` is a column without a name.
    #[must_use]
    pub fn find_faults_of_names(names: &[Option<&str>]) -> Vec<Invalid> {
        let mut faults = Vec::new();
        if names.is_empty() || names.len() > MAX_COLUMNS {
            faults.push(Invalid::new("", format!("must have 1 to {MAX_COLUMNS} columns")));
        }
        for (at, name) in names.iter().enumerate() {
            if name.is_some() && names.iter().take(at).any(|earlier| earlier == name) {
                faults.push(Invalid::new(
                    format!("/{at}/name"),
                    "must differ from the other columns' names",
                ));
            }
        }
        faults
    }

    /// Returns the columns in the order in which they are compared.
    pub fn iter(&self) -> std::slice::Iter<'_, Column> {
        self.0.iter()
    }

    /// Returns the number of columns (1 to 3).
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns the first column, which is compared first. Bounds on values and increments apply to it.
    #[must_use]
    pub fn first(&self) -> Option<&Column> {
        self.0.first()
    }
}

/// Returns one column with the name `score`; larger values are better.
impl Default for Columns {
    fn default() -> Self {
        Self(vec![Column {
            name: "score".into(),
            order: Order::Descending,
        }])
    }
}

/// The values of an entry or a submission: one signed 64-bit integer per column, in the columns' order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Values(Vec<i64>);

impl Values {
    /// Creates the values of a tuple, one for each column. The caller has matched the values with the columns by name.
    #[must_use]
    pub fn new(values: Vec<i64>) -> Self {
        Self(values)
    }

    /// Returns the values in the columns' order.
    #[must_use]
    pub fn as_slice(&self) -> &[i64] {
        &self.0
    }

    /// Returns the first column's value; 0 for the empty tuple, which no leaderboard has.
    #[must_use]
    pub fn first(&self) -> i64 {
        self.0.first().copied().unwrap_or(0)
    }

    /// Returns the same tuple with another first value.
    #[must_use]
    pub fn with_first(&self, value: i64) -> Self {
        let mut values = self.0.clone();
        if let Some(first) = values.first_mut() {
            *first = value;
        }
        Self(values)
    }

    /// Returns whether this tuple is better than `other`. The first column with different values decides, by its direction.
    #[must_use]
    pub fn is_better_than(&self, other: &Self, columns: &Columns) -> bool {
        for ((column, mine), theirs) in columns.iter().zip(&self.0).zip(&other.0) {
            if mine != theirs {
                return (mine > theirs) == (column.order == Order::Descending);
            }
        }
        false
    }
}
