//! Tests with the examples of RFC 7515. The examples have no audience, so a token with a valid signature is
//! refused as `WrongAudience`.

use leaderboard_core::TenantId;
use leaderboard_identity::token::{
    ClaimsMapping, KeyOrigin, KeySet, TokenProblem, TokenType, VerificationKey, Verifier,
};
use serde_json::{Value, json};

use crate::given::{RSA_N, at};

/// The claim `exp` of the examples, in seconds.
const EXPIRES_S: i64 = 1_300_819_380;
/// The encoded claims of the examples.
const PAYLOAD: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/// Checks the outcomes for an example, and for the example with changed claims.
fn check_example(jwk: &Value, header: &str, signature: &str) {
    let key = VerificationKey::from_jwk(jwk, KeyOrigin::Configured).unwrap();
    let keys = KeySet::new(vec![key]);
    let mapping = ClaimsMapping::players_of(TenantId::new("t").unwrap());
    let verifier = Verifier::new("joe", &["us".to_owned()], 0, TokenType::Access, mapping).unwrap();
    let token = format!("{header}.{PAYLOAD}.{signature}");
    let find_problem =
        |token: &str, seconds: i64| verifier.verify_text(token, &keys, at(seconds)).unwrap_err();

    assert_eq!(find_problem(&token, EXPIRES_S - 1), TokenProblem::WrongAudience);
    assert_eq!(find_problem(&token, EXPIRES_S), TokenProblem::Expired);
    let other = token.replacen(".eyJpc3MiOiJqb2Ui", ".eyJpc3MiOiJqb2Uj", 1);
    assert_eq!(find_problem(&other, 0), TokenProblem::Malformed);
    let other = token.replacen("MTkzODAs", "MTkzODEs", 1);
    assert_ne!(other, token);
    assert_eq!(find_problem(&other, 0), TokenProblem::BadSignature);
}

#[test]
fn appendix_a_1_hs256() {
    let jwk = json!({"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"});
    check_example(
        &jwk,
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    );
}

#[test]
fn appendix_a_2_rs256() {
    check_example(
        &json!({"kty": "RSA", "n": RSA_N, "e": "AQAB"}),
        "eyJhbGciOiJSUzI1NiJ9",
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    );
}

#[test]
fn appendix_a_3_es256() {
    let jwk = json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
    check_example(
        &jwk,
        "eyJhbGciOiJFUzI1NiJ9",
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    );
}

/// This example has no signature.
#[test]
fn appendix_a_5_unsecured() {
    let token = format!("eyJhbGciOiJub25lIn0.{PAYLOAD}.");
    let verifier = crate::given::create_verifier();
    let outcome = verifier.verify_text(&token, &crate::given::secret_keys(), at(0));
    assert_eq!(outcome, Err(TokenProblem::UnsupportedAlgorithm));
}
