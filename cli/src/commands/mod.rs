//! The commands about scores, each in its own file, except `import`, which is its own module.

pub(crate) mod completion;
pub(crate) mod export;
pub(crate) mod read;
pub(crate) mod submit;
