//! Rate limits: who is let through, what a request costs, and what a response says of it.

mod callers;
mod reads;
mod sharing;
mod tenants;
