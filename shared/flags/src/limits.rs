//! Limits of flag documents and evaluations.

/// Bytes of one document.
pub const MAX_DOCUMENT_BYTES: usize = 256 * 1024;
/// Flags in one document.
pub const MAX_FLAGS: usize = 1000;
/// Shared rules (`$evaluators`) in one document.
pub const MAX_EVALUATORS: usize = 100;
/// Variants of one flag.
pub const MAX_VARIANTS: usize = 100;
/// Bytes of the key of a flag, and of the name of a variant or shared rule.
pub const MAX_KEY_BYTES: usize = 256;
/// Members of one `metadata` object.
pub const MAX_METADATA_MEMBERS: usize = 64;
/// Levels of a targeting rule, those of the shared rules it refers to included. It bounds the stack.
pub const MAX_RULE_DEPTH: usize = 48;
/// Problems reported of one document; the rest is left out.
pub const MAX_PROBLEMS: usize = 32;

/// Steps of one evaluation. A step is one node of a rule, one value copied or compared, or
/// [`BYTES_PER_STEP`] bytes of text; a usual rule takes fewer than fifty.
pub const MAX_STEPS: u32 = 100_000;
/// Steps of the evaluation of a whole set; flags that come after it is spent fail one by one.
pub const MAX_STEPS_OF_A_SET: u32 = 1_000_000;
/// Bytes of text that count as one step.
pub const BYTES_PER_STEP: usize = 32;
/// Levels of a value that a rule makes.
pub const MAX_VALUE_DEPTH: usize = 64;
