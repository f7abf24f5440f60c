//! Tests of API keys: their text, their records, and the check of a secret.

use std::net::IpAddr;

use leaderboard_core::Timestamp;
use leaderboard_core::access::Scopes;
use leaderboard_identity::api_key::{
    ApiKey, ApiKeyRecord, KeyRefusal, KeyRequest, KeySettings, MAX_FORMER_SECRETS, MAX_OVERLAP_S,
    MAX_REQUESTS, NewApiKey, NotAKey, TooManySecrets,
};
use leaderboard_identity::token::{KeyBinding, TokenProblem};

use crate::given::{NOW_S, at, now, tenant};

/// Creates a key from fixed bytes instead of random bytes.
fn create_key() -> NewApiKey {
    let mut random = [0; 32];
    for (place, byte) in (0..).zip(&mut random) {
        *byte = place;
    }
    ApiKey::generate(&tenant(), &random)
}

/// Creates the record of that key.
fn create_record() -> ApiKeyRecord {
    let key = create_key();
    ApiKeyRecord {
        id: key.id,
        tenant: tenant(),
        name: "game server".to_owned(),
        scopes: Scopes::WRITE,
        created_at: at(NOW_S - 100),
        expires_at: None,
        revoked_at: None,
        allowed_addresses: Vec::new(),
        token_addresses: None,
        digest: key.digest,
        former: Vec::new(),
        requests: Vec::new(),
    }
}

/// Checks the secret of that key against `record`.
fn check_key(record: &ApiKeyRecord, address: Option<&str>, now: Timestamp) -> Result<(), KeyRefusal> {
    let address = address.map(|text| text.parse::<IpAddr>().unwrap());
    record.check(&create_key().digest, address, now)
}

#[test]
fn parsing_restores_a_generated_key() {
    let key = create_key();
    let text = key.text.reveal();
    assert_eq!(
        text,
        "eb_acme_0001020304050607_08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f424949"
    );
    let read = ApiKey::parse(text).unwrap();
    assert_eq!((read.id(), read.digest()), (key.id, key.digest));
    assert_eq!(read.id().to_string(), "0001020304050607");
    assert_eq!(read.tenant(), &tenant());
}

#[test]
fn changed_or_malformed_text_is_not_a_key() {
    let text = create_key().text.reveal().to_owned();
    for place in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[place] = if bytes[place] == b'7' { b'8' } else { b'7' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_eq!(ApiKey::parse(&changed).err(), Some(NotAKey), "{changed}");
        assert_eq!(ApiKey::parse(&text[..place]).err(), Some(NotAKey));
    }
    for bad in [
        "",
        "eb",
        "eb__",
        "eb____",
        "eb_é_é",
        &text.to_uppercase(),
        &format!("{text}0"),
        &format!(" {text}"),
        "the operator's key",
    ] {
        assert_eq!(ApiKey::parse(bad).err(), Some(NotAKey), "{bad}");
    }
}

#[test]
fn the_debug_output_does_not_contain_the_secret() {
    let shown = format!("{:?} {:?}", create_key(), create_record());
    assert!(
        !shown.contains("08090a0b") && !shown.contains("[8, 9, 10"),
        "{shown}"
    );
}

#[test]
fn a_secret_is_valid_only_for_its_own_record() {
    assert_eq!(check_key(&create_record(), None, now()), Ok(()));
    let other = ApiKey::generate(&tenant(), &[1; 32]).digest;
    let revoked = ApiKeyRecord {
        revoked_at: Some(now()),
        ..create_record()
    };
    // A sender without the secret does not learn that the key is revoked.
    assert_eq!(revoked.check(&other, None, now()), Err(KeyRefusal::WrongSecret));
    assert_eq!(check_key(&revoked, None, now()), Err(KeyRefusal::Revoked));
}

#[test]
fn a_key_is_refused_from_its_expiry_on() {
    let expiring = ApiKeyRecord {
        expires_at: Some(at(NOW_S + 10)),
        ..create_record()
    };
    assert_eq!(check_key(&expiring, None, at(NOW_S + 9)), Ok(()));
    assert_eq!(
        check_key(&expiring, None, at(NOW_S + 10)),
        Err(KeyRefusal::Expired)
    );
}

/// Another key can get the id of a removed key. Tokens of the removed key must not be valid then.
#[test]
fn a_bound_token_is_valid_only_for_the_key_that_issued_it() {
    let own = create_record();
    let made_ms = own.created_at.as_unix_ms();
    let ms = |ms: i64| Timestamp::from_unix_ms(ms).unwrap();
    let check_binding = |key_made_at: Option<Timestamp>, issued_at: Option<Timestamp>| {
        let binding = KeyBinding {
            key_made_at,
            ..KeyBinding::to_key(&own)
        };
        binding.check(&own, issued_at, at(NOW_S + 10))
    };
    assert_eq!(KeyBinding::to_key(&own).key_made_at, Some(own.created_at));
    assert_eq!(check_binding(Some(own.created_at), None), Ok(()));
    for other_ms in [made_ms - 1, made_ms + 1] {
        let refused = check_binding(Some(ms(other_ms)), Some(at(NOW_S + 9)));
        assert_eq!(refused, Err(TokenProblem::Revoked), "{other_ms}");
    }
    // Tokens of an older version do not contain the creation time of their key, so seconds are compared.
    let second_ms = made_ms - made_ms.rem_euclid(1000);
    assert_eq!(check_binding(None, Some(ms(second_ms))), Ok(()));
    assert_eq!(
        check_binding(None, Some(ms(second_ms - 1))),
        Err(TokenProblem::Revoked)
    );
    assert_eq!(check_binding(None, None), Err(TokenProblem::Revoked));
}

#[test]
fn a_replaced_secret_stays_valid_during_its_overlap() {
    let mut rotated = create_record();
    let new = ApiKey::rotate(&tenant(), rotated.id, &[9; 32]);
    rotated.replace_secret(new.digest, now(), 60).unwrap();
    assert_eq!(check_key(&rotated, None, at(NOW_S + 59)), Ok(()));
    assert_eq!(
        check_key(&rotated, None, at(NOW_S + 60)),
        Err(KeyRefusal::Replaced)
    );
    assert_eq!(rotated.check(&new.digest, None, at(NOW_S + 60)), Ok(()));
    assert_eq!(ApiKey::parse(new.text.reveal()).unwrap().id(), rotated.id);

    // A second rotation does not change when the first secret ends.
    let newest = ApiKey::rotate(&tenant(), rotated.id, &[8; 32]);
    rotated.replace_secret(newest.digest, now(), u32::MAX).unwrap();
    assert_eq!(check_key(&rotated, None, at(NOW_S + 59)), Ok(()));
    assert_eq!(
        check_key(&rotated, None, at(NOW_S + 60)),
        Err(KeyRefusal::Replaced)
    );
    let overlap = i64::from(MAX_OVERLAP_S);
    assert_eq!(rotated.former_secrets_until(), Some(at(NOW_S + overlap)));
    assert_eq!(rotated.check(&new.digest, None, at(NOW_S + overlap - 1)), Ok(()));
    assert_eq!(
        rotated.check(&new.digest, None, at(NOW_S + overlap)),
        Err(KeyRefusal::Replaced)
    );
    assert_eq!(rotated.check(&newest.digest, None, at(NOW_S + overlap)), Ok(()));
}

#[test]
fn a_new_secret_does_not_end_a_valid_former_secret() {
    let mut rotated = create_record();
    let digest =
        |n: usize| ApiKey::rotate(&tenant(), create_record().id, &[u8::try_from(n).unwrap(); 32]).digest;
    for n in 0..MAX_FORMER_SECRETS {
        rotated
            .replace_secret(digest(n), now(), 60 + u32::try_from(n).unwrap())
            .unwrap();
    }
    let before = rotated.clone();
    let full = TooManySecrets {
        until: at(NOW_S + 60),
    };
    assert_eq!(rotated.replace_secret(digest(100), now(), 1), Err(full));
    assert_eq!(rotated, before);
    // A replacement without an overlap succeeds, because it adds no valid former secret.
    rotated.replace_secret(digest(100), now(), 0).unwrap();
    assert_eq!(rotated.former.len(), MAX_FORMER_SECRETS);
    assert_eq!(check_key(&rotated, None, at(NOW_S + 59)), Ok(()));
    // Secrets that are no longer valid are removed, the oldest first.
    rotated.replace_secret(digest(101), at(NOW_S + 61), 60).unwrap();
    assert_eq!(
        check_key(&rotated, None, at(NOW_S + 61)),
        Err(KeyRefusal::WrongSecret)
    );
    assert_eq!(rotated.check(&digest(1), None, at(NOW_S + 61)), Ok(()));
}

#[test]
fn a_key_keeps_its_last_idempotency_records_for_a_day() {
    let mut record = create_record();
    let request = |n: u8| KeyRequest {
        name: [n; 16],
        body: [0; 16],
        at: now(),
    };
    for n in 0..=u8::try_from(MAX_REQUESTS).unwrap() {
        record.add_request(request(n));
    }
    assert_eq!(record.requests.len(), MAX_REQUESTS);
    assert_eq!(record.request(&[0; 16], now()), None);
    assert_eq!(record.request(&[1; 16], at(NOW_S + 86_399)), Some(&request(1)));
    assert_eq!(record.request(&[1; 16], at(NOW_S + 86_400)), None);
}

#[test]
fn addresses_are_checked_if_the_key_has_ranges() {
    let bounded = ApiKeyRecord {
        allowed_addresses: vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        ..create_record()
    };
    for good in ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::7"] {
        assert_eq!(check_key(&bounded, Some(good), now()), Ok(()), "{good}");
    }
    for bad in [Some("192.0.3.7"), Some("2001:db9::7"), Some("::192.0.2.7"), None] {
        assert_eq!(
            check_key(&bounded, bad, now()),
            Err(KeyRefusal::Address),
            "{bad:?}"
        );
    }
}

#[test]
fn decoding_restores_an_encoded_record() {
    let mut full = ApiKeyRecord {
        expires_at: Some(at(NOW_S + 10)),
        revoked_at: Some(now()),
        allowed_addresses: vec!["192.0.2.0/24".parse().unwrap()],
        token_addresses: Some(Vec::new()),
        scopes: Scopes::ADMIN,
        ..create_record()
    };
    for n in 9..12 {
        full.replace_secret(ApiKey::rotate(&tenant(), full.id, &[n; 32]).digest, now(), 60)
            .unwrap();
        full.add_request(KeyRequest {
            name: [n; 16],
            body: [1; 16],
            at: now(),
        });
    }
    for record in [create_record(), full] {
        assert_eq!(ApiKeyRecord::decode(&record.encode()), Some(record));
    }
}

#[test]
fn a_single_former_secret_is_stored_as_older_versions_read_it() {
    let mut rotated = create_record();
    rotated
        .replace_secret(ApiKey::rotate(&tenant(), rotated.id, &[9; 32]).digest, now(), 60)
        .unwrap();
    let text = String::from_utf8(rotated.encode()).unwrap();
    assert!(
        text.contains(r#""replaced":{"digest":"#) && !text.contains("replaced_before"),
        "{text}"
    );
    assert_eq!(ApiKeyRecord::decode(text.as_bytes()), Some(rotated));
}

#[test]
fn the_stored_format_of_a_record_does_not_change() {
    let text = String::from_utf8(create_record().encode()).unwrap();
    assert_eq!(
        text,
        r#"{"v":1,"id":"0001020304050607","tenant":"acme","name":"game server","scopes":["scores:write"],"created_ms":1784419100000,"digest":"DIGEST"}"#
            .replace("DIGEST", "17c35624881f5989433831a6445f19f656aec764013519e8d555539fa16e6701")
    );
    for bad in [
        text.replace("\"v\":1", "\"v\":2"),
        text.replace("scores:write", "scores:fly"),
        text.replace("acme", "Acme"),
        text.replace("0001020304050607", "01"),
        text.replace("17c3", "zz39"),
        text.replace('}', ""),
    ] {
        assert_ne!(bad, text);
        assert_eq!(ApiKeyRecord::decode(bad.as_bytes()), None, "{bad}");
    }
}

fn create_settings() -> KeySettings {
    KeySettings {
        name: "game server".to_owned(),
        scopes: Scopes::WRITE,
        expires_at: None,
        allowed_addresses: Vec::new(),
        token_addresses: None,
    }
}

#[test]
fn the_settings_of_a_key_are_validated() {
    let now = create_record().created_at;
    let find_pointers = |settings: KeySettings| {
        let faults = settings.find_faults(now).into_iter();
        faults.map(|fault| fault.pointer).collect::<Vec<_>>()
    };
    assert_eq!(find_pointers(create_settings()), Vec::<String>::new());
    for name in [String::new(), "a\nb".to_owned(), "x".repeat(201)] {
        assert_eq!(
            find_pointers(KeySettings {
                name,
                ..create_settings()
            }),
            ["/name"]
        );
    }
    let many = vec!["192.0.2.0/24".parse().unwrap(); 65];
    let everything = KeySettings {
        name: String::new(),
        scopes: Scopes::NONE,
        expires_at: Some(now),
        allowed_addresses: many.clone(),
        token_addresses: Some(many),
    };
    assert_eq!(
        find_pointers(everything.clone()),
        [
            "/name",
            "/scopes",
            "/allowed_addresses",
            "/token_addresses",
            "/expires_at"
        ]
    );
    let fault = everything.find_faults(now).pop().unwrap();
    assert!(fault.detail.contains(&format!("it is {now}")), "{fault:?}");
}
