//! The fields of a document of limits.

/// The most ranges in one list of addresses.
pub(super) const MAX_RANGES: usize = 256;
/// The word for "no limit".
pub(super) const OFF: &str = "off";

request_fields! {
    /// Rate limits: how often a caller may send requests, and from which addresses.
    pub(super) FIELDS = "Limits" {
        /// The limits by the names of the policies: `player`, `client`, `key`, `tenant`, `credentials`, and one policy for the
        /// routes of each function, such as `family:ranks`. Only the operator's document may have `credentials`.
        optional policies: map_of(reference("Setting")),
        /// For each policy, the highest rate that a tenant may set. Only the operator's document may have this field.
        optional bounds: map_of(reference("Rate")),
        /// Whether reads are limited. Only the operator's document may have this field.
        optional reads: reference("Reads"),
        /// Lists of client addresses that are allowed, denied or not limited.
        optional addresses: reference("Addresses"),
    }
}

request_fields! {
    /// How many requests are allowed in a window of time.
    pub(super) RATE_FIELDS = "Rate" {
        /// The number of requests that are allowed in a window.
        required quota: integer_within(1, super::MAX_QUOTA),
        /// The length of the window, in seconds. Default: 1.
        optional window_s: integer_within(1, super::MAX_WINDOW_S),
        /// The number of requests that a caller who has not sent requests for a while may send at once. Default: the value of
        /// `quota`.
        optional burst: integer_within(1, super::MAX_QUOTA),
    }
}

request_fields! {
    /// Whether reads are limited.
    pub(super) READS_FIELDS = "Reads" {
        /// `off`: reads are not limited. If this field is left out, the policies also limit reads.
        optional limits: reference("Off"),
    }
}

request_fields! {
    /// Lists of client addresses. Each item is an address or a range of addresses (CIDR).
    pub(super) ADDRESSES_FIELDS = "Addresses" {
        /// If this list is not empty, the service refuses requests from all other addresses.
        optional allow: list_up_to(MAX_RANGES, text()),
        /// The service refuses requests from these addresses.
        optional deny: list_up_to(MAX_RANGES, text()),
        /// Requests from these addresses are not limited. Only the operator's document may have this field.
        optional exempt: list_up_to(MAX_RANGES, text()),
    }
}

/// Adds the schemas of limits.
#[cfg(feature = "schema")]
pub(crate) fn add_schemas(all: &mut crate::schema::Schemas) {
    use crate::schema::{one_of, words};
    all.add_requests(&[&FIELDS, &RATE_FIELDS, &READS_FIELDS, &ADDRESSES_FIELDS]);
    let about = "The setting of a policy: a rate, or `off` for no limit.";
    all.insert(
        "Setting",
        one_of(
            about,
            [("Rate", "A rate."), ("Off", "The policy limits nothing.")],
        ),
    );
    all.insert(
        "Off",
        words("The word `off`, which means: no limit.", &[(OFF, ())]),
    );
}
