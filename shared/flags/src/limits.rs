//! Limits of flag documents and evaluations.

/// The most bytes of a document.
pub const MAX_DOCUMENT_BYTES: usize = 256 * 1024;
/// The most flags in a document.
pub const MAX_FLAGS: usize = 1000;
/// The most shared rules (`$evaluators`) in a document.
pub const MAX_EVALUATORS: usize = 100;
/// The most variants of a flag.
pub const MAX_VARIANTS: usize = 100;
/// The most bytes of a flag's key, and of the name of a variant or shared rule.
pub const MAX_KEY_BYTES: usize = 256;
/// The most members of a `metadata` object.
pub const MAX_METADATA_MEMBERS: usize = 64;
/// The most levels of a targeting rule, including the levels of the shared rules that it refers to. This limits the stack.
pub const MAX_RULE_DEPTH: usize = 48;
/// The most problems that are reported for a document; further problems are left out.
pub const MAX_PROBLEMS: usize = 32;

/// The most steps of one evaluation. A step is one node of a rule, one value copied or compared, or [`BYTES_PER_STEP`] bytes of
/// text. A usual rule takes fewer than fifty steps.
pub const MAX_STEPS: u32 = 100_000;
/// The most steps of the evaluation of a whole set. When they are used up, the evaluation of each remaining flag fails.
pub const MAX_STEPS_OF_A_SET: u32 = 1_000_000;
/// The number of bytes of text that count as one step.
pub const BYTES_PER_STEP: usize = 32;
/// The most levels of a value that a rule creates.
pub const MAX_VALUE_DEPTH: usize = 64;
