//! One flag, as the document defines it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::evaluation::FlagType;
use crate::rule::TargetingRule;

/// A flag that has been checked.
#[derive(Debug, Clone)]
pub(crate) struct Flag {
    pub(crate) enabled: bool,
    /// Named values, all of one type; never empty.
    pub(crate) variants: BTreeMap<String, Value>,
    pub(crate) flag_type: FlagType,
    /// `None`: the caller's default applies.
    pub(crate) default_variant: Option<String>,
    pub(crate) targeting: Targeting,
    pub(crate) metadata: Map<String, Value>,
}

/// How a flag chooses its variant.
#[derive(Debug, Clone)]
pub(crate) enum Targeting {
    /// Always the default variant.
    Absent,
    /// By a rule.
    Rule(TargetingRule),
    /// By a rule that cannot be read. Only [`crate::FlagSet::parse_tolerant`] keeps such a flag.
    Broken,
}
