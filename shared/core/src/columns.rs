//! The columns of a leaderboard and the values of an entry.

use crate::Invalid;

/// The most columns a leaderboard can have.
pub const MAX_COLUMNS: usize = 3;
/// The longest column name, in bytes.
pub const MAX_COLUMN_NAME_BYTES: usize = 32;

/// Which end of a column is the better one.
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
    /// A column whose name matches `[a-z][a-z0-9_]{0,31}`.
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

    /// The column's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The column's direction.
    #[must_use]
    pub fn order(&self) -> Order {
        self.order
    }
}

/// 1 to 3 columns of different names; the first one decides first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Columns(Vec<Column>);

impl Columns {
    /// Checks number and names.
    ///
    /// # Errors
    /// The first of [`Columns::find_faults`].
    pub fn new(columns: Vec<Column>) -> Result<Self, Invalid> {
        match Self::find_faults(&columns).into_iter().next() {
            Some(fault) => Err(fault),
            None => Ok(Self(columns)),
        }
    }

    /// Every fault of a list of columns: at each column whose name an earlier one has, and at the empty pointer for their
    /// number.
    #[must_use]
    pub fn find_faults(columns: &[Column]) -> Vec<Invalid> {
        let names: Vec<Option<&str>> = columns.iter().map(|column| Some(column.name())).collect();
        Self::find_faults_of_names(&names)
    }

    /// As [`Columns::find_faults`], of columns that may be malformed; `None` is a column without a name.
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

    /// The columns, in order of weight.
    pub fn iter(&self) -> std::slice::Iter<'_, Column> {
        self.0.iter()
    }

    /// How many there are (1 to 3).
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The column that decides first, and that limits and increments speak of.
    #[must_use]
    pub fn first(&self) -> Option<&Column> {
        self.0.first()
    }
}

/// One column `score`, larger is better.
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
    /// As many values as there are columns; the caller has matched them by name.
    #[must_use]
    pub fn new(values: Vec<i64>) -> Self {
        Self(values)
    }

    /// The values in the columns' order.
    #[must_use]
    pub fn as_slice(&self) -> &[i64] {
        &self.0
    }

    /// The first column's value (0 for the empty tuple, which no leaderboard has).
    #[must_use]
    pub fn first(&self) -> i64 {
        self.0.first().copied().unwrap_or(0)
    }

    /// The same tuple with another first value.
    #[must_use]
    pub fn with_first(&self, value: i64) -> Self {
        let mut values = self.0.clone();
        if let Some(first) = values.first_mut() {
            *first = value;
        }
        Self(values)
    }

    /// Whether this tuple is better than `other`: column by column, each in its direction.
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
