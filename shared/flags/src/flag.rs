//! One flag, as the document defines it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::evaluation::FlagType;
use crate::rule::TargetingRule;

/// A flag that has been checked.
#[derive(Debug, Clone)]
pub(crate) struct Flag {
    pub(crate) enabled: bool,
    /// The variants by name: at least one, and all values have the same type.
    pub(crate) variants: BTreeMap<String, Value>,
    pub(crate) flag_type: FlagType,
    /// The name of the default variant. If it is `None`, the caller's default applies.
    pub(crate) default_variant: Option<String>,
    pub(crate) targeting: Targeting,
    pub(crate) metadata: Map<String, Value>,
}

/// How a flag chooses its variant.
#[derive(Debug, Clone)]
pub(crate) enum Targeting {
    /// The flag always has its default variant.
    Absent,
    /// A rule chooses the variant.
    Rule(TargetingRule),
    /// The rule cannot be read. Only [`crate::FlagSet::parse_tolerant`] keeps such a flag.
    Broken,
}
