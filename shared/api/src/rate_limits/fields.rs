//! The fields of a document of limits.

/// The most ranges in one list of addresses.
pub(super) const MAX_RANGES: usize = 256;
/// The word for "no limit".
pub(super) const OFF: &str = "off";

request_fields! {
    /// How often who may call: rates by the names of policies, and lists of addresses.
    pub(super) FIELDS = "Limits" {
        /// By name: `player`, `client`, `key`, `tenant`, `credentials` (the operator's document alone), or a family of endpoints,
        /// such as `family:ranks`.
        optional policies: map_of(reference("Setting")),
        /// The most that a tenant can set; the operator's document alone.
        optional bounds: map_of(reference("Rate")),
        /// Whether reads are limited; the operator's document alone.
        optional reads: reference("Reads"),
        /// Lists of addresses.
        optional addresses: reference("Addresses"),
    }
}

request_fields! {
    /// A rate.
    pub(super) RATE_FIELDS = "Rate" {
        /// Requests in a window.
        required quota: integer_within(1, super::MAX_QUOTA),
        /// The window, in seconds; 1 unless said.
        optional window_s: integer_within(1, super::MAX_WINDOW_S),
        /// How many may come at once.
        optional burst: integer_within(1, super::MAX_QUOTA),
    }
}

request_fields! {
    /// Whether reads are limited at all.
    pub(super) READS_FIELDS = "Reads" {
        /// `off`.
        optional limits: reference("Off"),
    }
}

request_fields! {
    /// Lists of addresses, as ranges (CIDR) or single ones.
    pub(super) ADDRESSES_FIELDS = "Addresses" {
        /// Nobody else is let in.
        optional allow: list_up_to(MAX_RANGES, text()),
        /// These are not let in.
        optional deny: list_up_to(MAX_RANGES, text()),
        /// These are not limited; the operator's document alone.
        optional exempt: list_up_to(MAX_RANGES, text()),
    }
}

/// Adds the schemas of limits.
#[cfg(feature = "schema")]
pub(crate) fn add_schemas(all: &mut crate::schema::Schemas) {
    use crate::schema::{one_of, words};
    all.add_requests(&[&FIELDS, &RATE_FIELDS, &READS_FIELDS, &ADDRESSES_FIELDS]);
    let about = "What is set of a policy: a rate, or `off`.";
    all.insert(
        "Setting",
        one_of(about, [("Rate", "A rate."), ("Off", "No limit.")]),
    );
    all.insert("Off", words("No limit.", &[(OFF, ())]));
}
