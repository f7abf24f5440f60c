//! Rate limits: the documents, what is let through, and what clients are told of it.

mod documents;
mod world;
