//! A targeting rule (JsonLogic with flagd's own operations), compiled.

use serde_json::Value;

/// A compiled rule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TargetingRule {
    /// A value that contains no operation.
    Literal(Value),
    /// An array that contains at least one operation.
    Array(Vec<TargetingRule>),
    /// An operation and its arguments.
    Apply(RuleOperation, Vec<TargetingRule>),
    /// A shared rule (`$ref`), by its index among the set's evaluators.
    Shared(usize),
}

macro_rules! operators {
    ($($(#[$doc:meta])* $variant:ident = $($name:literal)|+),+ $(,)?) => {
        /// An operation of a targeting rule.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum RuleOperation { $($(#[$doc])* $variant),+ }

        impl RuleOperation {
            /// Returns the operation with this name.
            pub(crate) fn named(name: &str) -> Option<Self> {
                match name {
                    $($($name)|+ => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

operators! {
    Var = "var",
    Missing = "missing",
    MissingSome = "missing_some",
    If = "if" | "?:",
    And = "and",
    Or = "or",
    Not = "!",
    Truthy = "!!",
    Equal = "==",
    StrictEqual = "===",
    NotEqual = "!=",
    StrictNotEqual = "!==",
    Less = "<",
    LessOrEqual = "<=",
    Greater = ">",
    GreaterOrEqual = ">=",
    Add = "+",
    Subtract = "-",
    Multiply = "*",
    Divide = "/",
    Remainder = "%",
    Max = "max",
    Min = "min",
    Map = "map",
    Filter = "filter",
    Reduce = "reduce",
    All = "all",
    None = "none",
    Some = "some",
    Merge = "merge",
    In = "in",
    Cat = "cat",
    Substr = "substr",
    /// Returns its argument. Nothing is logged.
    Log = "log",
    Fractional = "fractional",
    StartsWith = "starts_with",
    EndsWith = "ends_with",
    SemVer = "sem_ver",
}
