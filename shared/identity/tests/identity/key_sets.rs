//! Which keys are taken, from where.

use leaderboard_identity::token::{
    DocumentProblem, KeyOrigin, KeyProblem, KeySet, MAX_KEY_SET_BYTES, MAX_KEYS, TokenAlgorithm,
    VerificationKey,
};
use serde_json::{Value, json};

use crate::given::{RSA_N, ed25519_jwk, encode, p256_jwk, rsa_jwk, rsa_signing};

fn jwk(jwk: &Value) -> Result<TokenAlgorithm, KeyProblem> {
    VerificationKey::from_jwk(jwk, KeyOrigin::Published).map(|key| key.algorithm())
}

fn with(mut jwk: Value, name: &str, value: Value) -> Value {
    jwk.as_object_mut().unwrap().insert(name.to_owned(), value);
    jwk
}

#[test]
fn a_key_has_the_algorithm_of_its_kind() {
    assert_eq!(jwk(&ed25519_jwk()), Ok(TokenAlgorithm::EdDsa));
    assert_eq!(jwk(&p256_jwk()), Ok(TokenAlgorithm::Es256));
    assert_eq!(jwk(&rsa_jwk()), Ok(TokenAlgorithm::Rs256));
    assert_eq!(
        jwk(&with(ed25519_jwk(), "alg", json!("Ed25519"))),
        Ok(TokenAlgorithm::EdDsa)
    );
}

#[test]
fn a_key_of_another_algorithm_or_use_is_not_taken() {
    let cases = [
        (with(rsa_jwk(), "alg", json!("RS512")), KeyProblem::Unsupported),
        (with(rsa_jwk(), "alg", json!("HS256")), KeyProblem::Unsupported),
        (with(rsa_jwk(), "alg", json!(["RS256"])), KeyProblem::Malformed),
        (with(rsa_jwk(), "use", json!("enc")), KeyProblem::OtherUse),
        (
            with(rsa_jwk(), "key_ops", json!(["encrypt"])),
            KeyProblem::OtherUse,
        ),
        (with(rsa_jwk(), "key_ops", json!("verify")), KeyProblem::OtherUse),
        (
            with(rsa_jwk(), "kid", json!("k".repeat(257))),
            KeyProblem::Malformed,
        ),
        (with(p256_jwk(), "crv", json!("P-384")), KeyProblem::Unsupported),
        (
            with(p256_jwk(), "crv", json!("secp256k1")),
            KeyProblem::Unsupported,
        ),
        (
            with(p256_jwk(), "x", json!(encode([1; 32]))),
            KeyProblem::Malformed,
        ),
        (
            with(ed25519_jwk(), "crv", json!("X25519")),
            KeyProblem::Unsupported,
        ),
        (with(ed25519_jwk(), "x", json!("AA")), KeyProblem::Malformed),
        // Of order one: any signature that fits one text fits all.
        (
            with(
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
        assert_eq!(jwk(&key), Err(problem), "{key}");
    }
    let verify = with(with(rsa_jwk(), "use", json!("sig")), "key_ops", json!(["verify"]));
    assert!(jwk(&verify).is_ok());
}

#[test]
fn rsa_keys_have_2048_to_4096_bits() {
    let sized = |bytes: usize| {
        let mut number = vec![0xff; bytes];
        number[bytes - 1] = 0x01;
        with(rsa_jwk(), "n", json!(encode(number)))
    };
    assert_eq!(jwk(&sized(255)), Err(KeyProblem::Size));
    assert_eq!(jwk(&sized(128)), Err(KeyProblem::Size));
    assert!(jwk(&sized(256)).is_ok() && jwk(&sized(512)).is_ok());
    assert!(jwk(&sized(513)).is_err() && jwk(&sized(4096)).is_err());
}

#[test]
fn a_secret_has_at_least_32_bytes() {
    let secret =
        |bytes: usize| VerificationKey::from_secret(None, &vec![1; bytes]).map(|key| key.algorithm());
    assert_eq!(secret(31), Err(KeyProblem::Size));
    assert_eq!(secret(32), Ok(TokenAlgorithm::Hs256));
    assert_eq!(secret(1025), Err(KeyProblem::Size));
    let given = VerificationKey::from_jwk(
        &json!({"kty": "oct", "k": encode([1; 31])}),
        KeyOrigin::Configured,
    );
    assert_eq!(given.map(|key| key.algorithm()), Err(KeyProblem::Size));
}

#[test]
fn keys_of_a_set_that_cannot_be_used_are_skipped() {
    let set = json!({"keys": [{"kty": "XX"}, 7, with(rsa_jwk(), "use", json!("enc")), p256_jwk(),
        {"kty": "oct", "k": encode([1; 64])}], "more": true});
    let set = KeySet::parse(set.to_string().as_bytes(), KeyOrigin::Published).unwrap();
    let names: Vec<_> = set.iter().map(VerificationKey::key_id).collect();
    assert_eq!(names, [Some("ec")]);
}

#[test]
fn a_set_is_bounded() {
    let of = |text: &str| KeySet::parse(text.as_bytes(), KeyOrigin::Published).map(|set| set.len());
    let many = |count: usize| json!({"keys": vec![p256_jwk(); count]}).to_string();
    assert_eq!(of(&many(MAX_KEYS)), Ok(MAX_KEYS));
    assert_eq!(of(&many(MAX_KEYS + 1)), Err(DocumentProblem::TooLarge));
    let large = format!(
        r#"{{"keys":[{}],"x":"{}"}}"#,
        p256_jwk(),
        "x".repeat(MAX_KEY_SET_BYTES)
    );
    assert_eq!(of(&large), Err(DocumentProblem::TooLarge));
    assert_eq!(of(r#"{"keys":[]}"#), Err(DocumentProblem::NoKey));
    for bad in ["", "[]", "{}", r#"{"keys":{}}"#, "<html>"] {
        assert_eq!(of(bad), Err(DocumentProblem::Malformed), "{bad}");
    }
}

#[test]
fn keys_are_read_as_pem() {
    use rsa::pkcs1::EncodeRsaPublicKey;
    use spki::der::pem::LineEnding;
    use spki::{EncodePublicKey, SubjectPublicKeyInfoOwned};

    let of = |pem: &str| VerificationKey::from_pem(Some("p"), pem).map(|key| key.algorithm());
    let rsa = rsa_signing().to_public_key();
    let pem = rsa.to_public_key_pem(LineEnding::LF).unwrap();
    assert_eq!(of(&pem), Ok(TokenAlgorithm::Rs256));
    assert_eq!(of(&format!("\n  {pem}\n")), Ok(TokenAlgorithm::Rs256));
    // RFC 8410, section 10.1, and the P-256 key of RFC 7515 as OpenSSL writes it.
    let ed25519 = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
    assert_eq!(of(ed25519), Ok(TokenAlgorithm::EdDsa));
    let point = crate::given::p256_signing()
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
    assert_eq!(of(&p256), Ok(TokenAlgorithm::Es256));

    let old = rsa.to_pkcs1_der().unwrap();
    let old = old.to_pem("RSA PUBLIC KEY", LineEnding::LF).unwrap();
    assert_eq!(of(&old), Err(KeyProblem::Malformed));
    for bad in ["", "PEM", &pem.replace("MIIB", "MIIC"), RSA_N, &pem[..100]] {
        assert_eq!(of(bad), Err(KeyProblem::Malformed), "{bad}");
    }
    assert_eq!(of(&"-".repeat(5000)), Err(KeyProblem::Size));
    let private = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    assert_eq!(of(private), Err(KeyProblem::Malformed));
}
