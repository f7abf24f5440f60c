//! The pages of a list that is ordered by ids.

use leaderboard_api::wire::cursor;
use leaderboard_api::{Problem, Query};

/// The query parameters of a page.
pub const PARAMETERS: [&str; 2] = ["limit", "cursor"];
/// How many items a page has by default.
const DEFAULT_LIMIT: u32 = 50;

/// The page that a request reads.
#[derive(Debug)]
pub struct Paging<I> {
    /// How many items the page has at most.
    pub limit: u32,
    /// The last id of the previous page.
    pub after: Option<I>,
}

impl<I> Paging<I> {
    /// Reads `limit`, from 1 to `most`, and `cursor`, which `id` converts to an id.
    ///
    /// # Errors
    /// The problem to answer with.
    pub fn of(query: &Query<'_>, most: u32, id: impl FnOnce(&str) -> Option<I>) -> Result<Self, Problem> {
        Self::with_default(query, DEFAULT_LIMIT, most, id)
    }

    /// Does the same as [`Paging::of`] with another default for the number of items.
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

    /// Returns how many items to read: one more than the page holds. The additional item shows whether another page follows.
    pub const fn page_size_and_one(&self) -> u32 {
        self.limit.saturating_add(1)
    }

    /// Returns the items of the page, and whether another page follows.
    pub fn split_page<T>(&self, mut found: Vec<T>) -> (Vec<T>, bool) {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        (found, more)
    }
}

/// Returns the cursor of the next page, if there is one: the id of the last item shown.
pub fn encode_next_cursor<T>(shown: &[T], more: bool, id: impl FnOnce(&T) -> String) -> Option<String> {
    let last = shown.last().filter(|_| more)?;
    Some(cursor::encode(id(last).as_bytes()))
}
