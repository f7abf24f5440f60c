//! The commands about scores, one file each, except `import`, which is a module of its own.

pub(crate) mod completion;
pub(crate) mod export;
pub(crate) mod read;
pub(crate) mod submit;
