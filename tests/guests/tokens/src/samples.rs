//! One token of each algorithm, all with the same claims, and the keys that verify the tokens. The keys are
//! used for nothing else.

/// An instant at which the tokens are valid: 2026-07-19T00:00:00Z, in milliseconds since the epoch.
pub(crate) const VALID_AT_MS: i64 = 1_784_419_200_000;
/// The issuer of the tokens.
pub(crate) const ISSUER: &str = "https://id.example";
/// The audience of the tokens.
pub(crate) const AUDIENCE: &str = "scores";

/// The name of each algorithm, and its token.
pub(crate) const TOKENS: [(&str, &str); 4] = [
    (
        "HS256",
        "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsifQ.eyJhdWQiOiJzY29yZXMiLCJleHAiOjE3ODQ0MTk4MDAsImlhdCI6MTc4NDQxOTE5MCwiaXNzIjoiaHR0cHM6Ly9pZC5leGFtcGxlIiwibmJmIjoxNzg0NDE5MTkwLCJzY29wZSI6Im9wZW5pZCBzY29yZXM6d3JpdGUiLCJzdWIiOiJKb3PDqSJ9.RrgWYMZce8qIMbYgX1g0uEdM96oyr4VY6HMn1nQEuIo",
    ),
    (
        "EdDSA",
        "eyJhbGciOiJFZERTQSIsImtpZCI6ImVkIn0.eyJhdWQiOiJzY29yZXMiLCJleHAiOjE3ODQ0MTk4MDAsImlhdCI6MTc4NDQxOTE5MCwiaXNzIjoiaHR0cHM6Ly9pZC5leGFtcGxlIiwibmJmIjoxNzg0NDE5MTkwLCJzY29wZSI6Im9wZW5pZCBzY29yZXM6d3JpdGUiLCJzdWIiOiJKb3PDqSJ9.EOs1zqKfFse4M7lB8x5AzNDLQoc20-p4CRPrH31YTGoPIcRn_-PfRHL40oTb80cQG10tCw2qiLxVAg_kxcSCAQ",
    ),
    (
        "ES256",
        "eyJhbGciOiJFUzI1NiIsImtpZCI6ImVjIn0.eyJhdWQiOiJzY29yZXMiLCJleHAiOjE3ODQ0MTk4MDAsImlhdCI6MTc4NDQxOTE5MCwiaXNzIjoiaHR0cHM6Ly9pZC5leGFtcGxlIiwibmJmIjoxNzg0NDE5MTkwLCJzY29wZSI6Im9wZW5pZCBzY29yZXM6d3JpdGUiLCJzdWIiOiJKb3PDqSJ9.tyZPBQqrvwjJIj7xaeiBiH8HU7ILsKbQ73RuCS-xlyiB3-Bmot226fmQUCJXSZTbLbqn0Y_Bgr2t6mbVOEPFHA",
    ),
    (
        "RS256",
        "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSJ9.eyJhdWQiOiJzY29yZXMiLCJleHAiOjE3ODQ0MTk4MDAsImlhdCI6MTc4NDQxOTE5MCwiaXNzIjoiaHR0cHM6Ly9pZC5leGFtcGxlIiwibmJmIjoxNzg0NDE5MTkwLCJzY29wZSI6Im9wZW5pZCBzY29yZXM6d3JpdGUiLCJzdWIiOiJKb3PDqSJ9.AZk6Mlw5w8Ja3DL8PY0j5m4_0Gd92vcQUE4hYCj6dDgrN5xtI7GETFYNKg30Njj-kkBvZ_4X5fMsq1MUbdeRwz2S2RCsIA29Ol32uSzREO9QmxvWrxoARul7NdUAU5wKXnt6afoiyxDPuPZSCmirxKLK9weEKMGK8LxEEooJrANylTO4qz88dcGx2fd182u-cwRb23ou6JnwbMzgQhKMEwnh8-2O-lXdYxH_PLyp4d3BovQ052c3042rmZHv9OjXYfIF6f6H1ErVE_jSR2CG2OArv5cEeQ-WoDUKDrZWLinp8rj13ZXlhUkKWij9xy_v5OjuoD9f0iNo_9Zqc7DW6g",
    ),
];

/// The keys as a JSON Web Key Set. One of them is a shared secret, for HS256.
pub(crate) const KEYS: &str = r#"{"keys":[{"k":"YSBzZWNyZXQgb2YgMzIgYnl0ZXMgYXQgdGhlIGxlYXN0","kid":"k","kty":"oct"},{"crv":"Ed25519","kid":"ed","kty":"OKP","x":"6kpsY-KcUgq-9VB7Ey7F-ZVHdq6-vnuSQh7qaRRG0iw"},{"crv":"P-256","kid":"ec","kty":"EC","x":"HhhTL9R1TALzBB2cdc6zO4P_2BrHzk_ogsyxyYvFiW4","y":"pGwxHE4v9A3ZajZT5uRURdMt_khuztdcepDGoYiBwKM"},{"e":"AQAB","kid":"rsa","kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}]}"#;
