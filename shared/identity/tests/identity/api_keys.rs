//! API keys: their text, and whether they open the door.

use std::net::IpAddr;

use leaderboard_core::Timestamp;
use leaderboard_core::access::Scopes;
use leaderboard_identity::api_key::{ApiKey, ApiKeyRecord, KeyRefusal, MAX_OVERLAP_S, NewApiKey, NotAKey};

use crate::given::{NOW_S, at, now, tenant};

fn new_key() -> NewApiKey {
    let mut random = [0; 32];
    for (place, byte) in (0..).zip(&mut random) {
        *byte = place;
    }
    ApiKey::generate(&tenant(), &random)
}

fn record() -> ApiKeyRecord {
    let key = new_key();
    ApiKeyRecord {
        id: key.id,
        tenant: tenant(),
        name: "game server".to_owned(),
        scopes: Scopes::WRITE,
        created_at: at(NOW_S - 100),
        expires_at: None,
        revoked_at: None,
        allowed_addresses: Vec::new(),
        digest: key.digest,
        replaced: None,
    }
}

fn check(record: &ApiKeyRecord, address: Option<&str>, now: Timestamp) -> Result<(), KeyRefusal> {
    let address = address.map(|text| text.parse::<IpAddr>().unwrap());
    record.check(&new_key().digest, address, now)
}

#[test]
fn a_key_reads_as_it_was_written() {
    let key = new_key();
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
fn every_typing_error_is_noticed_without_a_look_up() {
    let text = new_key().text.reveal().to_owned();
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
fn nothing_of_a_secret_is_shown() {
    let shown = format!("{:?} {:?}", new_key(), record());
    assert!(
        !shown.contains("08090a0b") && !shown.contains("[8, 9, 10"),
        "{shown}"
    );
}

#[test]
fn a_secret_opens_its_own_record_alone() {
    assert_eq!(check(&record(), None, now()), Ok(()));
    let other = ApiKey::generate(&tenant(), &[1; 32]).digest;
    let revoked = ApiKeyRecord {
        revoked_at: Some(now()),
        ..record()
    };
    // Without the secret nothing is told of the key.
    assert_eq!(revoked.check(&other, None, now()), Err(KeyRefusal::WrongSecret));
    assert_eq!(check(&revoked, None, now()), Err(KeyRefusal::Revoked));
}

#[test]
fn a_key_ends_when_it_expires() {
    let expiring = ApiKeyRecord {
        expires_at: Some(at(NOW_S + 10)),
        ..record()
    };
    assert_eq!(check(&expiring, None, at(NOW_S + 9)), Ok(()));
    assert_eq!(check(&expiring, None, at(NOW_S + 10)), Err(KeyRefusal::Expired));
}

#[test]
fn a_replaced_secret_is_good_for_its_overlap() {
    let mut rotated = record();
    let new = ApiKey::rotate(&tenant(), rotated.id, &[9; 32]);
    rotated.replace_secret(new.digest, now(), 60);
    assert_eq!(check(&rotated, None, at(NOW_S + 59)), Ok(()));
    assert_eq!(check(&rotated, None, at(NOW_S + 60)), Err(KeyRefusal::Replaced));
    assert_eq!(rotated.check(&new.digest, None, at(NOW_S + 60)), Ok(()));
    assert_eq!(ApiKey::parse(new.text.reveal()).unwrap().id(), rotated.id);

    // A second rotation leaves the first secret behind.
    rotated.replace_secret(
        ApiKey::rotate(&tenant(), rotated.id, &[8; 32]).digest,
        now(),
        u32::MAX,
    );
    assert_eq!(check(&rotated, None, now()), Err(KeyRefusal::WrongSecret));
    let overlap = i64::from(MAX_OVERLAP_S);
    assert_eq!(rotated.check(&new.digest, None, at(NOW_S + overlap - 1)), Ok(()));
    assert_eq!(
        rotated.check(&new.digest, None, at(NOW_S + overlap)),
        Err(KeyRefusal::Replaced)
    );
}

#[test]
fn addresses_are_checked_where_ranges_are_given() {
    let bounded = ApiKeyRecord {
        allowed_addresses: vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        ..record()
    };
    for good in ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::7"] {
        assert_eq!(check(&bounded, Some(good), now()), Ok(()), "{good}");
    }
    for bad in [Some("192.0.3.7"), Some("2001:db9::7"), Some("::192.0.2.7"), None] {
        assert_eq!(check(&bounded, bad, now()), Err(KeyRefusal::Address), "{bad:?}");
    }
}

#[test]
fn a_record_reads_as_it_was_written() {
    let mut full = ApiKeyRecord {
        expires_at: Some(at(NOW_S + 10)),
        revoked_at: Some(now()),
        allowed_addresses: vec!["192.0.2.0/24".parse().unwrap()],
        scopes: Scopes::ADMIN,
        ..record()
    };
    full.replace_secret(ApiKey::rotate(&tenant(), full.id, &[9; 32]).digest, now(), 60);
    for record in [record(), full] {
        assert_eq!(ApiKeyRecord::decode(&record.encode()), Some(record));
    }
}

#[test]
fn the_format_of_a_record_is_held() {
    let text = String::from_utf8(record().encode()).unwrap();
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

#[test]
fn fields_that_a_caller_chooses_are_bounded() {
    let pointer = |record: ApiKeyRecord| record.validate().map_err(|invalid| invalid.pointer);
    assert_eq!(pointer(record()), Ok(()));
    for name in [String::new(), "a\nb".to_owned(), "x".repeat(201)] {
        assert_eq!(
            pointer(ApiKeyRecord { name, ..record() }),
            Err("/name".to_owned())
        );
    }
    let nothing = ApiKeyRecord {
        scopes: Scopes::NONE,
        ..record()
    };
    assert_eq!(pointer(nothing), Err("/scopes".to_owned()));
    let over = ApiKeyRecord {
        expires_at: Some(record().created_at),
        ..record()
    };
    assert_eq!(pointer(over), Err("/expires_at".to_owned()));
    let many = ApiKeyRecord {
        allowed_addresses: vec!["192.0.2.0/24".parse().unwrap(); 65],
        ..record()
    };
    assert_eq!(pointer(many), Err("/allowed_addresses".to_owned()));
}
