//! The add-in's side (rule 17): a ring that is changed and called with.

use std::fs;

use client_registry::ring::{CallError, RingConfig, SecretSource, SharedSecret};
use client_registry::secret::KeyEncoding;
use client_registry::{ClientId, ClientSecret, SecretRing};
use pollster::block_on;
use zeroize::Zeroizing;

use super::search::searching;
use super::{base64, plain};
use crate::support::{Scratch, Seeded};

#[test]
fn rule_17_a_ring_leaves_no_plaintext_behind() {
    let search = searching();
    let texts = Seeded::new(12);
    let id = ClientId::parse("calendar-app").unwrap();
    let ring_secret = |text: &str, encoding| SharedSecret::new(ClientSecret::parse(text).unwrap(), encoding);
    let (one, two, three) = (plain(&texts, 40), base64(&texts, 64), plain(&texts, 511));
    let ring = SecretRing::new(
        id,
        ring_secret(&one, KeyEncoding::Utf8).unwrap(),
        Some(ring_secret(&two, KeyEncoding::Base64).unwrap()),
    );
    assert!(
        ring.verify_mac(
            &crate::support::hmac(&crate::support::key(&two, KeyEncoding::Base64), b"message"),
            b"message"
        )
        .is_ok()
    );
    ring.verify_mac(&[7; 32], b"message").unwrap_err();
    ring_secret(&three, KeyEncoding::Base64).unwrap_err();
    search.nothing_found("making a ring and verifying");

    block_on(async {
        let answer = ring
            .call(async |credentials| {
                let presented = Zeroizing::new(Box::<str>::from(credentials.client_secret().expose()));
                // Others take their place while the call is under way.
                ring.replace(ClientSecret::parse(&three).unwrap(), None);
                match **presented == **one {
                    true => Err(CallError::InvalidClient("invalid client")),
                    false => Ok(()),
                }
            })
            .await;
        answer.unwrap();
    });
    search.nothing_found("calling and replacing");
    drop(ring);
    search.nothing_found("dropping the ring");
}

#[test]
fn rule_17_a_ring_of_files_leaves_no_plaintext_behind() {
    let search = searching();
    let (texts, scratch) = (Seeded::new(14), Scratch::in_memory());
    let id = ClientId::parse("calendar-app").unwrap();
    let [primary, secondary] = ["primary", "secondary"].map(|name| scratch.path().join(name));
    let (one, two, three) = (plain(&texts, 41), base64(&texts, 48), plain(&texts, 500));
    let write = |path, parts: &[&[u8]]| {
        let text = Zeroizing::new(parts.concat());
        fs::write(path, &*text).unwrap();
    };
    write(&primary, &[b"\xef\xbb\xbf", one.as_bytes(), b"\r\n"]);
    let encoded = SecretSource::file(&secondary).with_key_encoding(KeyEncoding::Base64);
    let config = RingConfig::new(id, SecretSource::file(&primary)).with_secondary(encoded);
    let ring = SecretRing::from_config(config).unwrap();
    search.nothing_found("making a ring of one file");
    write(&secondary, &[two.as_bytes(), b"\n"]);
    assert_eq!(ring.reload(), Ok(true));
    assert_eq!(ring.reload(), Ok(false));
    search.nothing_found("reading the same again");
    write(&primary, &[three.as_bytes()]);
    assert_eq!(ring.reload(), Ok(true));
    let _ = ring.state();
    search.nothing_found("reading another one");

    for (path, parts) in [
        (&primary, [three.as_bytes(), b"\xff"]),
        (&primary, [three.as_bytes(), one.as_bytes()]),
        (&primary, [one.as_bytes(), &[b' '; 5000]]),
        (&secondary, [one.as_bytes(), b"\n"]),
        (&secondary, [two.as_bytes(), b"="]),
    ] {
        write(path, &parts);
        ring.reload().unwrap_err();
        search.nothing_found("refusing what a file holds");
        write(&primary, &[three.as_bytes()]);
        write(&secondary, &[two.as_bytes()]);
    }
    assert_eq!(ring.reload(), Ok(false));
    fs::remove_file(&secondary).unwrap();
    assert_eq!(ring.reload(), Ok(true));
    search.nothing_found("taking one away");
    drop(ring);
    search.nothing_found("dropping the ring");
}
