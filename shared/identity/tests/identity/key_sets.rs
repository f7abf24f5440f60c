//! Tests which keys and key sets are accepted.

use leaderboard_identity::token::{
    DocumentProblem, KeyOrigin, KeyProblem, KeySet, MAX_KEY_SET_BYTES, MAX_KEYS, TokenAlgorithm,
    VerificationKey,
};
use serde_json::{Value, json};

use crate::given::{RSA_N, ed25519_jwk, encode, p256_jwk, rsa_jwk, rsa_signing_key};

/// Parses a published key, and returns its algorithm.
fn parse_jwk(jwk: &Value) -> Result<TokenAlgorithm, KeyProblem> {
    VerificationKey::from_jwk(jwk, KeyOrigin::Published).map(|key| key.algorithm())
}

/// Returns a key with one member replaced.
fn set(mut jwk: Value, name: &str, value: Value) -> Value {
    jwk.as_object_mut().unwrap().insert(name.to_owned(), value);
    jwk
}

#[test]
fn a_key_has_the_algorithm_of_its_kind() {
    assert_eq!(parse_jwk(&ed25519_jwk()), Ok(TokenAlgorithm::EdDsa));
    assert_eq!(parse_jwk(&p256_jwk()), Ok(TokenAlgorithm::Es256));
    assert_eq!(parse_jwk(&rsa_jwk()), Ok(TokenAlgorithm::Rs256));
    assert_eq!(
        parse_jwk(&set(ed25519_jwk(), "alg", json!("Ed25519"))),
        Ok(TokenAlgorithm::EdDsa)
    );
}

#[test]
fn a_key_of_another_algorithm_or_use_is_refused() {
    let cases = [
        (set(rsa_jwk(), "alg", json!("RS512")), KeyProblem::Unsupported),
        (set(rsa_jwk(), "alg", json!("HS256")), KeyProblem::Unsupported),
        (set(rsa_jwk(), "alg", json!(["RS256"])), KeyProblem::Malformed),
        (set(rsa_jwk(), "use", json!("enc")), KeyProblem::OtherUse),
        (
            set(rsa_jwk(), "key_ops", json!(["encrypt"])),
            KeyProblem::OtherUse,
        ),
        (set(rsa_jwk(), "key_ops", json!("verify")), KeyProblem::OtherUse),
        (
            set(rsa_jwk(), "kid", json!("k".repeat(257))),
            KeyProblem::Malformed,
        ),
        (set(p256_jwk(), "crv", json!("P-384")), KeyProblem::Unsupported),
        (
            set(p256_jwk(), "crv", json!("secp256k1")),
            KeyProblem::Unsupported,
        ),
        (
            set(p256_jwk(), "x", json!(encode([1; 32]))),
            KeyProblem::Malformed,
        ),
        (
            set(ed25519_jwk(), "crv", json!("X25519")),
            KeyProblem::Unsupported,
        ),
        (set(ed25519_jwk(), "x", json!("AA")), KeyProblem::Malformed),
        // This point has order one, so one signature is valid for all texts.
        (
            set(
                ed25519_jwk(),
                "x",
                json!("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            ),
            KeyProblem::Malformed,
        ),
        (
            json!({"kty": "oct", "k": encode([1; 32])}),
            KeyProblem::PublishedSecret,
        ),
        (json!({"kid": "a"}), KeyProblem::Malformed),
        (json!([]), KeyProblem::Malformed),
    ];
    for (key, problem) in cases {
        assert_eq!(parse_jwk(&key), Err(problem), "{key}");
    }
    let verify = set(set(rsa_jwk(), "use", json!("sig")), "key_ops", json!(["verify"]));
    assert!(parse_jwk(&verify).is_ok());
}

#[test]
fn rsa_keys_have_2048_to_4096_bits() {
    let create_rsa_jwk = |bytes: usize| {
        let mut number = vec![0xff; bytes];
        number[bytes - 1] = 0x01;
        set(rsa_jwk(), "n", json!(encode(number)))
    };
    assert_eq!(parse_jwk(&create_rsa_jwk(255)), Err(KeyProblem::Size));
    assert_eq!(parse_jwk(&create_rsa_jwk(128)), Err(KeyProblem::Size));
    assert!(parse_jwk(&create_rsa_jwk(256)).is_ok() && parse_jwk(&create_rsa_jwk(512)).is_ok());
    assert!(parse_jwk(&create_rsa_jwk(513)).is_err() && parse_jwk(&create_rsa_jwk(4096)).is_err());
}

#[test]
fn a_secret_has_32_to_1024_bytes() {
    let parse_secret =
        |bytes: usize| VerificationKey::from_secret(None, &vec![1; bytes]).map(|key| key.algorithm());
    assert_eq!(parse_secret(31), Err(KeyProblem::Size));
    assert_eq!(parse_secret(32), Ok(TokenAlgorithm::Hs256));
    assert_eq!(parse_secret(1025), Err(KeyProblem::Size));
    let given = VerificationKey::from_jwk(
        &json!({"kty": "oct", "k": encode([1; 31])}),
        KeyOrigin::Configured,
    );
    assert_eq!(given.map(|key| key.algorithm()), Err(KeyProblem::Size));
}

#[test]
fn unusable_keys_of_a_set_are_skipped() {
    let set = json!({"keys": [{"kty": "XX"}, 7, set(rsa_jwk(), "use", json!("enc")), p256_jwk(),
        {"kty": "oct", "k": encode([1; 64])}], "more": true});
    let set = KeySet::parse(set.to_string().as_bytes(), KeyOrigin::Published).unwrap();
    let names: Vec<_> = set.iter().map(VerificationKey::key_id).collect();
    assert_eq!(names, [Some("ec")]);
}

#[test]
fn the_size_of_a_key_set_is_limited() {
    let count_keys = |text: &str| KeySet::parse(text.as_bytes(), KeyOrigin::Published).map(|set| set.len());
    let many = |count: usize| json!({"keys": vec![p256_jwk(); count]}).to_string();
    assert_eq!(count_keys(&many(MAX_KEYS)), Ok(MAX_KEYS));
    assert_eq!(count_keys(&many(MAX_KEYS + 1)), Err(DocumentProblem::TooLarge));
    let large = format!(
        r#"{{"keys":[{}],"x":"{}"}}"#,
        p256_jwk(),
        "x".repeat(MAX_KEY_SET_BYTES)
    );
    assert_eq!(count_keys(&large), Err(DocumentProblem::TooLarge));
    assert_eq!(count_keys(r#"{"keys":[]}"#), Err(DocumentProblem::NoKey));
    for bad in ["", "[]", "{}", r#"{"keys":{}}"#, "<html>"] {
        assert_eq!(count_keys(bad), Err(DocumentProblem::Malformed), "{bad}");
    }
}

#[test]
fn public_keys_are_parsed_from_pem() {
    use rsa::pkcs1::EncodeRsaPublicKey;
    use spki::der::pem::LineEnding;
    use spki::{EncodePublicKey, SubjectPublicKeyInfoOwned};

    let parse_pem = |pem: &str| VerificationKey::from_pem(Some("p"), pem).map(|key| key.algorithm());
    let rsa = rsa_signing_key().to_public_key();
    let pem = rsa.to_public_key_pem(LineEnding::LF).unwrap();
    assert_eq!(parse_pem(&pem), Ok(TokenAlgorithm::Rs256));
    assert_eq!(parse_pem(&format!("\n  {pem}\n")), Ok(TokenAlgorithm::Rs256));
    // The example of RFC 8410, section 10.1.
    let ed25519 = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
    assert_eq!(parse_pem(ed25519), Ok(TokenAlgorithm::EdDsa));
    let point = crate::given::p256_signing_key()
        .verifying_key()
        .to_encoded_point(false);
    let p256 = SubjectPublicKeyInfoOwned {
        algorithm: spki::AlgorithmIdentifier {
            oid: "1.2.840.10045.2.1".parse().unwrap(),
            parameters: Some((&"1.2.840.10045.3.1.7".parse::<spki::ObjectIdentifier>().unwrap()).into()),
        },
        subject_public_key: spki::der::asn1::BitString::from_bytes(point.as_bytes()).unwrap(),
    };
    let p256 = spki::der::EncodePem::to_pem(&p256, LineEnding::LF).unwrap();
    assert_eq!(parse_pem(&p256), Ok(TokenAlgorithm::Es256));

    let old = rsa.to_pkcs1_der().unwrap();
    let old = old.to_pem("RSA PUBLIC KEY", LineEnding::LF).unwrap();
    assert_eq!(parse_pem(&old), Err(KeyProblem::Malformed));
    for bad in ["", "PEM", &pem.replace("MIIB", "MIIC"), RSA_N, &pem[..100]] {
        assert_eq!(parse_pem(bad), Err(KeyProblem::Malformed), "{bad}");
    }
    assert_eq!(parse_pem(&"-".repeat(5000)), Err(KeyProblem::Size));
    let private = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    assert_eq!(parse_pem(private), Err(KeyProblem::Malformed));
}
