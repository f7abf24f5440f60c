//! Rate limits: the documents, what is let through, and what clients are told of it.

mod callers;
mod documents;
mod reads;
mod sharing;
mod tenants;
