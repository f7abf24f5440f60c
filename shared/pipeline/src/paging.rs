//! Lists in the order of ids, read page by page.

use leaderboard_api::Problem;
use leaderboard_api::Query;
use leaderboard_api::wire::cursor;

/// The parameters of a page.
pub const PARAMETERS: [&str; 2] = ["limit", "cursor"];
/// How many things a page has unless asked otherwise.
const DEFAULT_LIMIT: u32 = 50;

/// A page that is asked for.
#[derive(Debug)]
pub struct Paging<I> {
    /// How many things it holds at most.
    pub limit: u32,
    /// The last id of the page before.
    pub after: Option<I>,
}

impl<I> Paging<I> {
    /// Reads `limit`, 1 to `most`, and `cursor`, which `id` makes an id of.
    ///
    /// # Errors
    /// The problem to answer with.
    pub fn of(query: &Query<'_>, most: u32, id: impl FnOnce(&str) -> Option<I>) -> Result<Self, Problem> {
        Self::with_default(query, DEFAULT_LIMIT, most, id)
    }

    /// As [`Paging::of`], with another number of things unless asked otherwise.
    ///
    /// # Errors
    /// The problem to answer with.
    pub fn with_default(
        query: &Query<'_>,
        default: u32,
        most: u32,
        id: impl FnOnce(&str) -> Option<I>,
    ) -> Result<Self, Problem> {
        let decode = |bytes: &[u8]| id(std::str::from_utf8(bytes).ok()?);
        let limit = query.integer("limit", 1, most)?.unwrap_or(default);
        let after = query.text("cursor")?.map(|text| cursor::parse(&text, decode));
        Ok(Self {
            limit,
            after: after.transpose()?,
        })
    }

    /// How many things to ask for: one more than the page holds tells whether another one follows.
    pub const fn page_size_and_one(&self) -> u32 {
        self.limit.saturating_add(1)
    }

    /// What of that the page shows, and whether another one follows.
    pub fn shown<T>(&self, mut found: Vec<T>) -> (Vec<T>, bool) {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        (found, more)
    }
}

/// The cursor of the page that follows, if one does: the id of the last thing shown.
pub fn next<T>(shown: &[T], more: bool, id: impl FnOnce(&T) -> String) -> Option<String> {
    let last = shown.last().filter(|_| more)?;
    Some(cursor::encode(id(last).as_bytes()))
}
