//! Tests of discovery documents, and of the addresses that may be fetched.

use leaderboard_identity::token::{
    Discovery, DocumentProblem, Hosts, MAX_DISCOVERY_BYTES, checked_url, discovery_url,
};
use serde_json::json;

#[test]
fn a_discovery_document_must_name_its_issuer() {
    let document = json!({"issuer": "https://id.example", "jwks_uri": "https://id.example/keys", "x": [1]});
    let text = document.to_string();
    assert_eq!(
        Discovery::parse(text.as_bytes(), "https://id.example").map(|found| found.jwks_uri),
        Ok("https://id.example/keys".to_owned())
    );
    assert_eq!(
        Discovery::parse(text.as_bytes(), "https://id.example/"),
        Err(DocumentProblem::WrongIssuer)
    );
    let private = json!({"issuer": "i", "jwks_uri": "http://10.0.0.1/keys"}).to_string();
    assert_eq!(
        Discovery::parse(private.as_bytes(), "i"),
        Err(DocumentProblem::Private)
    );
    for bad in ["", "{}", "[]", r#"{"issuer":"i"}"#] {
        assert_eq!(
            Discovery::parse(bad.as_bytes(), "i"),
            Err(DocumentProblem::Malformed)
        );
    }
    let large = format!(r#"{{"issuer":"i","x":"{}"}}"#, "x".repeat(MAX_DISCOVERY_BYTES));
    assert_eq!(
        Discovery::parse(large.as_bytes(), "i"),
        Err(DocumentProblem::TooLarge)
    );
}

#[test]
fn the_discovery_url_is_below_the_issuer() {
    let build_url = |issuer: &str| discovery_url(issuer, Hosts::Any);
    let expected = Ok("https://id.example/a/.well-known/openid-configuration".to_owned());
    assert_eq!(build_url("https://id.example/a"), expected);
    assert_eq!(build_url("https://id.example/a/"), expected);
    assert_eq!(
        build_url("https://id.example/?a=b"),
        Err(DocumentProblem::Address)
    );
    assert_eq!(build_url("id.example"), Err(DocumentProblem::Address));
}

#[test]
fn only_safe_addresses_may_be_fetched() {
    for good in [
        "https://id.example",
        "https://id.example:8443/keys?version=2",
        "https://[2001:db8::1]/keys",
        "https://[2001:db8::1]:443/keys",
        "http://127.0.0.1:8080/keys",
        "http://localhost/keys",
        "http://[::1]:9000",
    ] {
        assert_eq!(checked_url(good, Hosts::Any), Ok(()), "{good}");
    }
    for bad in [
        "",
        "https://",
        "https:///keys",
        "http://id.example/keys",
        "http://127.0.0.1.example/keys",
        "http://localhost.example",
        "http://localhost:80@id.example/",
        "https://user@id.example/",
        "https://user:secret@id.example/",
        "https://id.example#keys",
        "https://id.example:0/",
        "https://id.example:99999/",
        "https://id.example:/",
        "https://2001:db8::1/keys",
        "HTTPS://id.example",
        "ftp://id.example",
        "file:///etc/passwd",
        "https://id.example/a b",
        "https://id.example/\n",
        "https://ïd.example/",
        &format!("https://id.example/{}", "x".repeat(512)),
    ] {
        assert_eq!(
            checked_url(bad, Hosts::Any),
            Err(DocumentProblem::Address),
            "{bad}"
        );
    }
}

#[test]
fn only_the_operator_may_name_hosts_that_are_not_public() {
    for good in ["https://id.example/keys", "https://[2606:4700::1111]:443/keys"] {
        assert_eq!(checked_url(good, Hosts::Public), Ok(()), "{good}");
    }
    for bad in [
        "http://127.0.0.1:8080/keys",
        "http://id.example/keys",
        "https://localhost/keys",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://redis:6379",
        "https://db.internal./",
    ] {
        assert_eq!(
            checked_url(bad, Hosts::Public),
            Err(DocumentProblem::Private),
            "{bad}"
        );
    }
    assert_eq!(
        checked_url("ftp://x", Hosts::Public),
        Err(DocumentProblem::Address)
    );
}

#[test]
fn a_public_issuer_may_not_name_a_private_host() {
    let parse_discovery = |issuer: &str, uri: &str| {
        let json = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{uri}"}}"#);
        Discovery::parse(json.as_bytes(), issuer).map(|_| ())
    };
    assert_eq!(
        parse_discovery("https://id.example", "https://keys.example/"),
        Ok(())
    );
    for uri in ["http://127.0.0.1/", "https://10.0.0.1/"] {
        assert_eq!(
            parse_discovery("https://id.example", uri),
            Err(DocumentProblem::Private)
        );
        assert_eq!(parse_discovery("http://localhost:8080", uri), Ok(()));
    }
}
