//! The pages of a list that is ordered by ids.

use http::StatusCode;
use leaderboard_api::wire::{ListBody, cursor};
use leaderboard_api::{Problem, Query, Response};
use serde::Serialize;

use crate::Context;

/// The query parameters of a page.
const PARAMETERS: [&str; 2] = ["limit", "cursor"];
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
    /// Reads a query that has at most `limit`, from 1 to `most`, and `cursor`, which `id` converts to an id.
    ///
    /// # Errors
    /// The problem to answer with.
    pub fn parse(query: &str, most: u32, id: impl FnOnce(&str) -> Option<I>) -> Result<Self, Problem> {
        Self::with_default(&Query::parse(query, &PARAMETERS)?, DEFAULT_LIMIT, most, id)
    }

    /// Does the same as [`Paging::parse`] for a query with more parameters and another default for the number of items.
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

    /// Returns the page of the items that were read.
    pub fn page_of<T>(&self, mut found: Vec<T>) -> Page<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        Page { items: found, more }
    }
}

/// The items of a page.
#[derive(Debug)]
pub struct Page<T> {
    items: Vec<T>,
    /// Whether another page follows.
    more: bool,
}

impl<T> Page<T> {
    /// Converts every item.
    ///
    /// # Errors
    /// The first error of `convert`.
    pub fn try_map<U, F>(self, convert: impl FnMut(T) -> Result<U, F>) -> Result<Page<U>, F> {
        let items = self.items.into_iter().map(convert).collect::<Result<_, F>>()?;
        Ok(Page {
            items,
            more: self.more,
        })
    }

    /// Responds with the page. `name` is the field that has the items in version 1, `id` returns the id of an item, and `body` what
    /// the response says about it.
    ///
    /// # Errors
    /// The problem to answer with.
    pub fn respond<'a, E, B: Serialize>(
        &'a self,
        context: &Context<'_, E>,
        name: &'static str,
        id: impl FnOnce(&T) -> String,
        body: impl FnMut(&'a T) -> B,
    ) -> Result<Response, Problem> {
        let last = self.items.last().filter(|_| self.more);
        let next = last.map(|last| cursor::encode(id(last).as_bytes()));
        let bodies = self.items.iter().map(body).collect();
        let list = ListBody::new(context.version, name, bodies).with_next(next);
        Response::json(StatusCode::OK, context.accepted, &list)
    }
}
