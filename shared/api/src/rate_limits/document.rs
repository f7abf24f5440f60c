//! Reads and writes documents of limits.

use leaderboard_core::Invalid;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::fields::{ADDRESSES_FIELDS, FIELDS, MAX_RANGES, OFF, RATE_FIELDS, READS_FIELDS};
use super::policy::{MAX_QUOTA, MAX_RECOVERY_US, MAX_WINDOW_S};
use super::{Addresses, Policy, PolicyName, Ranges, Setting, range};
use crate::json::{self, Errors, Field, Fields, Json};
use crate::problem::Problem;

/// The owner of a document of limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentOwner {
    /// A tenant, for itself.
    Tenant,
    /// The operator, for all tenants.
    Operator,
}

/// One setting for each policy.
pub(super) type PolicySettings = [Setting; PolicyName::ALL.len()];

/// A document of limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitsDocument {
    /// The limits.
    pub policies: PolicySettings,
    /// The most that a tenant can set; in the operator's document only.
    pub bounds: PolicySettings,
    /// Whether reads are limited and counted. Only the operator's document has this setting.
    pub reads: bool,
    /// Lists of addresses; `exempt` is in the operator's document only.
    pub addresses: Addresses,
}

impl Default for LimitsDocument {
    fn default() -> Self {
        Self {
            policies: PolicySettings::default(),
            bounds: PolicySettings::default(),
            reads: true,
            addresses: Addresses::default(),
        }
    }
}

impl LimitsDocument {
    /// Reads a document that a client sent.
    ///
    /// # Errors
    /// A `validation` problem that lists what is wrong.
    pub fn read(tree: &Json<'_>, scope: DocumentOwner) -> Result<Self, Problem> {
        let mut errors = Errors::default();
        let document = Field::root(tree)
            .object(&mut errors)
            .map(|fields| document(&fields, scope, &mut errors));
        errors.check()?;
        document.ok_or_else(|| Problem::internal("limits without errors were not understood"))
    }

    /// Reads a stored document. If another program wrote the document and it cannot be read, returns an empty document, so the
    /// defaults apply.
    pub fn stored(bytes: &[u8], scope: DocumentOwner) -> Self {
        json::parse(bytes)
            .and_then(|tree| Self::read(&tree, scope))
            .unwrap_or_default()
    }

    /// Returns the setting of a policy.
    pub fn setting(settings: &PolicySettings, name: PolicyName) -> Setting {
        let at = PolicyName::ALL.iter().position(|known| *known == name);
        at.and_then(|at| settings.get(at)).copied().unwrap_or_default()
    }

    /// Returns the largest limit that a tenant can set for a policy. If the operator's document has no bound for a policy of a
    /// whole tenant, the limit that the document sets is the bound.
    pub fn bound(&self, name: PolicyName) -> Option<Policy> {
        let default = match name {
            PolicyName::Tenant => Self::setting(&self.policies, name),
            _ => Setting::Unset,
        };
        match (Self::setting(&self.bounds, name), default) {
            (Setting::Rate(bound), _) | (_, Setting::Rate(bound)) => Some(bound),
            _ => None,
        }
    }

    /// Checks that every limit lets through as many requests as it says. A unit grows back in whole microseconds, so a limit with some
    /// quotas lets through clearly fewer. Documents that are stored already are not checked.
    ///
    /// # Errors
    /// A `validation` problem that lists the quotas, each with the nearest quotas that are exact.
    pub fn check_quotas(&self) -> Result<(), Problem> {
        let mut errors = Errors::default();
        for (member, settings) in [("policies", &self.policies), ("bounds", &self.bounds)] {
            let member = json::Pointer::Key(&json::Pointer::Root, member);
            for (name, setting) in PolicyName::ALL.iter().zip(settings) {
                if let Setting::Rate(policy) = setting
                    && !policy.is_kept()
                {
                    let (below, above) = policy.nearest_quotas();
                    errors.add(
                        &json::Pointer::Key(&json::Pointer::Key(&member, name.as_str()), "quota"),
                        format!(
                            "one unit must grow back in whole microseconds: in {} s, {below} and {above} do",
                            policy.window_s
                        ),
                    );
                }
            }
        }
        errors.check()
    }

    /// Checks that a tenant's document stays within the operator's bounds.
    ///
    /// # Errors
    /// A `validation` problem that lists the policies.
    pub fn check_against(&self, operator: &Self) -> Result<(), Problem> {
        let mut errors = Errors::default();
        let policies = json::Pointer::Key(&json::Pointer::Root, "policies");
        for name in PolicyName::ALL {
            let Some(bound) = operator.bound(name) else {
                continue;
            };
            let exceeds = match Self::setting(&self.policies, name) {
                Setting::Unset => false,
                Setting::Off => true,
                Setting::Rate(own) => !own.is_within(bound),
            };
            if exceeds {
                errors.add(
                    &json::Pointer::Key(&policies, name.as_str()),
                    format!(
                        "above the operator's bound of {} in {} s with a burst of {}",
                        bound.quota, bound.window_s, bound.burst
                    ),
                );
            }
        }
        errors.check()
    }
}

fn document(fields: &Fields<'_, '_>, scope: DocumentOwner, errors: &mut Errors) -> LimitsDocument {
    let known: &[&str] = match scope {
        DocumentOwner::Tenant => &["policies", "addresses"],
        DocumentOwner::Operator => FIELDS.names,
    };
    fields.only(known, errors);
    let mut settings = |name, may_be_off| {
        let field = fields.optional(name)?;
        settings(field, scope, may_be_off, errors)
    };
    let policies = settings("policies", true);
    let bounds = settings("bounds", false);
    let reads = fields.read("reads", reads, errors);
    let addresses = fields.read(
        "addresses",
        |field, errors| addresses(field, scope, errors),
        errors,
    );
    LimitsDocument {
        policies: policies.unwrap_or_default(),
        bounds: bounds.unwrap_or_default(),
        reads: reads.unwrap_or(true),
        addresses: addresses.unwrap_or_default(),
    }
}

/// Reads settings by the names of their policies.
fn settings(
    field: Field<'_, '_>,
    scope: DocumentOwner,
    may_be_off: bool,
    errors: &mut Errors,
) -> Option<PolicySettings> {
    let fields = field.object(errors)?;
    // The limit of refused credentials applies before the tenant is known.
    let settable = |name: &PolicyName| scope == DocumentOwner::Operator || *name != PolicyName::Credentials;
    let names: Vec<&str> = PolicyName::ALL
        .iter()
        .filter(|name| settable(name))
        .map(|name| name.as_str())
        .collect();
    fields.only(&names, errors);
    let mut settings = PolicySettings::default();
    for (name, slot) in PolicyName::ALL.iter().zip(&mut settings) {
        if let Some(field) = fields.optional(name.as_str()).filter(|_| settable(name)) {
            *slot = setting(&field, may_be_off, errors).unwrap_or_default();
        }
    }
    Some(settings)
}

fn setting(field: &Field<'_, '_>, may_be_off: bool, errors: &mut Errors) -> Option<Setting> {
    if may_be_off && let Json::String(text) = field.value {
        if text == OFF {
            return Some(Setting::Off);
        }
        errors.add(&field.pointer, "must be \"off\" or an object");
        return None;
    }
    let fields = field.object_with(&RATE_FIELDS, errors)?;
    let quota = fields.read_required("quota", |field, errors| within(field, MAX_QUOTA, errors), errors);
    let window_s = match fields.optional("window_s") {
        Some(field) => within(field, MAX_WINDOW_S, errors),
        None => Some(1),
    };
    let burst = match fields.optional("burst") {
        Some(field) => within(field, MAX_QUOTA, errors),
        None => quota,
    };
    let policy = Policy {
        quota: quota?,
        window_s: window_s?,
        burst: burst?,
    };
    if policy.capacity_us() > MAX_RECOVERY_US {
        errors.add(
            &field.pointer,
            "takes more than a week to let a whole burst grow back",
        );
        return None;
    }
    Some(Setting::Rate(policy))
}

fn within(field: Field<'_, '_>, most: u32, errors: &mut Errors) -> Option<u32> {
    let number: u32 = field.integer(errors)?;
    if (1..=most).contains(&number) {
        return Some(number);
    }
    errors.add(&field.pointer, format!("must be 1 to {most}"));
    None
}

fn reads(field: Field<'_, '_>, errors: &mut Errors) -> Option<bool> {
    let fields = field.object_with(&READS_FIELDS, errors)?;
    let words = [("on", true), (OFF, false)];
    fields.choice("limits", &words, errors)
}

fn addresses(field: Field<'_, '_>, scope: DocumentOwner, errors: &mut Errors) -> Option<Addresses> {
    let fields = field.object(errors)?;
    let known: &[&str] = match scope {
        DocumentOwner::Tenant => &["allow", "deny"],
        DocumentOwner::Operator => ADDRESSES_FIELDS.names,
    };
    fields.only(known, errors);
    let mut list = |name| fields.read(name, ranges, errors).unwrap_or_default();
    Some(Addresses {
        allow: list("allow"),
        deny: list("deny"),
        exempt: if scope == DocumentOwner::Operator {
            list("exempt")
        } else {
            Ranges::default()
        },
    })
}

fn ranges(field: Field<'_, '_>, errors: &mut Errors) -> Option<Ranges> {
    if field.array(errors)?.len() > MAX_RANGES {
        errors.add(&field.pointer, format!("must have at most {MAX_RANGES} ranges"));
        return None;
    }
    let parse = |text: &str| range(text).map_err(|detail| Invalid::new("", detail));
    let found = field.list(|item, errors| item.parsed(parse, errors), errors)?;
    Some(Ranges::new(found.into_iter().flatten().collect()))
}

/// Writes only what the document sets.
impl Serialize for LimitsDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("policies", &Written(&self.policies))?;
        if self.bounds != PolicySettings::default() {
            map.serialize_entry("bounds", &Written(&self.bounds))?;
        }
        if !self.reads {
            map.serialize_entry("reads", &serde_json::json!({"limits": OFF}))?;
        }
        map.serialize_entry("addresses", &Listed(&self.addresses))?;
        map.end()
    }
}

struct Written<'a>(&'a PolicySettings);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Rate {
            quota: u32,
            window_s: u32,
            burst: u32,
        }
        let mut map = serializer.serialize_map(None)?;
        for (name, setting) in PolicyName::ALL.iter().zip(self.0) {
            match *setting {
                Setting::Unset => {}
                Setting::Off => map.serialize_entry(name.as_str(), OFF)?,
                Setting::Rate(Policy {
                    quota,
                    window_s,
                    burst,
                }) => {
                    let rate = Rate {
                        quota,
                        window_s,
                        burst,
                    };
                    map.serialize_entry(name.as_str(), &rate)?;
                }
            }
        }
        map.end()
    }
}

struct Listed<'a>(&'a Addresses);

impl Serialize for Listed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let Addresses { allow, deny, exempt } = self.0;
        for (name, ranges) in [("allow", allow), ("deny", deny), ("exempt", exempt)] {
            if !ranges.is_empty() {
                map.serialize_entry(name, &ranges.iter().collect::<Vec<_>>())?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests;
