//! JSON in and out.

fn main() {}
