//! Keys in the form `whsec_`: shown to a seller, read by a ring, imported by a registry.

use client_registry::client::ImportedSecret;
use client_registry::ring::{RingConfig, SecretSource, SharedSecret};
use client_registry::secret::KeyEncoding;
use client_registry::value::Field;
use client_registry::*;
use data_encoding::BASE64;
use pollster::block_on;
use proptest::prelude::*;

use super::KEY;
use crate::support::{Platform, Scratch, client_id, days_later, hmac, start, validity};

fn verifies(secret: SharedSecret, key: &[u8]) -> bool {
    let ring = SecretRing::new(client_id("calendar-app"), secret, None);
    ring.verify_mac(&hmac(key, b"message"), b"message").is_ok()
}

/// What a seller copies from the page is the key that the platform signs with.
#[test]
fn a_generated_client_secret_goes_out_and_comes_back() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let signature = platform.registry.sign(issued.client_id(), b"message").await.unwrap();
        let shown = issued.client_secret().expose_whsec(str::to_owned);
        assert_eq!(shown, format!("whsec_{}", BASE64.encode(issued.client_secret().expose().as_bytes())));
        let (secret, encoding) = ClientSecret::parse_whsec(&shown).unwrap();
        assert_eq!((secret.expose(), encoding), (issued.client_secret().expose(), KeyEncoding::Utf8));
        let ring =
            SecretRing::new(issued.client_id().clone(), SharedSecret::parse_whsec(&shown).unwrap(), None);
        assert!(ring.verify(&signature, b"message").is_ok());
    });
}

#[test]
fn a_key_that_was_made_elsewhere_is_read_as_its_bytes() {
    let (secret, encoding) = ClientSecret::parse_whsec(KEY).unwrap();
    assert_eq!((secret.expose(), encoding), (&KEY[6..], KeyEncoding::Base64));
    assert!(verifies(SharedSecret::parse_whsec(KEY).unwrap(), &BASE64.decode(&KEY.as_bytes()[6..]).unwrap()));
    // Imported, it is the same key, and its text the password.
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client = platform.contoso.client(issued.client_id());
        let validity = validity(start(), days_later(start(), 30));
        let imported =
            client.import_secret(ImportedSecret::parse_whsec(KEY, validity).unwrap()).await.unwrap();
        let who = platform.registry.authenticate(issued.client_id().as_str(), &KEY[6..]).await.unwrap();
        assert_eq!(who.secret_id(), imported);
        client.promote(imported).await.unwrap();
        let signature = platform.registry.sign(issued.client_id(), b"message").await.unwrap();
        assert_eq!(*signature.mac(), hmac(&BASE64.decode(&KEY.as_bytes()[6..]).unwrap(), b"message"));
    });
}

#[test]
fn what_is_no_key_is_refused_and_not_repeated() {
    let of = |bytes: &[u8]| format!("whsec_{}", BASE64.encode(bytes));
    let random: Vec<u8> = (0..=255).chain(0..=255).collect();
    for (text, problem) in [
        (String::new(), "does not begin"),
        (KEY[6..].to_owned(), "does not begin"),
        (format!("WHSEC_{}", &KEY[6..]), "does not begin"),
        (KEY.replace("whsec_", "whsk_"), "does not begin"),
        (format!(" {KEY}"), "does not begin"),
        ("whsec_".to_owned(), "fewer than 24"),
        (of(&random[..23]), "fewer than 24"),
        (of(&random[..385]), "more than 384"),
        (of(&[b'a'; 515]), "is too long"),
        (KEY[..KEY.len() - 1].to_owned(), "not canonical"),
        (of(&random[..25]).replace("GA==", "GB=="), "not canonical"),
        (KEY.replace('8', "-"), "not canonical"),
        (format!("{KEY}\n"), "not canonical"),
        (of(&random[..40]) + &BASE64.encode(&random[..30]), "not canonical"),
    ] {
        let error = ClientSecret::parse_whsec(&text).unwrap_err();
        assert_eq!(error.field(), Field::WebhookKey, "{text}");
        assert!(error.to_string().contains(problem), "{text}: {error}");
        assert!(text.len() < 20 || !error.to_string().contains(&text[8..16]), "{error}");
    }
    // A client secret with a slip is one here, too.
    let slip = of(b"crs_00000000000000000000000000000000000000000000000000000");
    assert_eq!(ClientSecret::parse_whsec(&slip).unwrap_err().field(), Field::ClientSecret);
    assert!(ClientSecret::parse_whsec(&of(&random[..384])).is_ok());
    assert!(ClientSecret::parse_whsec(&of(&[b'a'; 512])).is_ok());
}

/// A file holds a key, then the client secret that a rotation has issued, as it is or as a key.
#[test]
fn a_source_holds_a_key_or_a_generated_client_secret() {
    let (scratch, platform) = (Scratch::in_memory(), Platform::new());
    let path = scratch.path().join("webhook-key");
    let write = |text: &str| std::fs::write(&path, format!("{text}\n")).unwrap();
    write(KEY);
    let source = SecretSource::file(&path).in_whsec_form();
    assert_eq!(format!("{source:?}"), r#"SecretSource { file: _, form: "whsec" }"#);
    let ring = SecretRing::from_config(RingConfig::new(client_id("calendar-app"), source)).unwrap();
    let verifies = |key: &[u8]| ring.verify_mac(&hmac(key, b"message"), b"message").is_ok();
    assert!(verifies(&BASE64.decode(&KEY.as_bytes()[6..]).unwrap()));
    let issued = block_on(platform.register("calendar app"));
    let text = issued.client_secret().expose();
    write(text);
    assert!(ring.reload().unwrap() && verifies(text.as_bytes()));
    write(&issued.client_secret().expose_whsec(str::to_owned));
    assert!(!ring.reload().unwrap() && verifies(text.as_bytes()));
    write("0123456789 abcdefghijklm");
    assert_eq!(ring.reload().unwrap_err().code(), "source_invalid");
    assert!(verifies(text.as_bytes()));
}

proptest! {
    /// Whichever way it is read, the key is the bytes that the base64 stands for.
    #[test]
    fn every_key_signs_as_its_bytes(
        key in prop_oneof![
            prop::collection::vec(any::<u8>(), 24..=384),
            prop::collection::vec(b' '..=b'~', 24..=512),
        ],
    ) {
        let text = format!("whsec_{}", BASE64.encode(&key));
        match SharedSecret::parse_whsec(&text) {
            Ok(secret) => prop_assert!(verifies(secret, &key)),
            Err(error) => prop_assert_eq!(error.field(), Field::ClientSecret, "a slip"),
        }
    }

    #[test]
    fn no_text_panics(text in "(whsec_)?[A-Za-z0-9+/=]{0,800}", any in "\\PC{0,60}") {
        let _ = (ClientSecret::parse_whsec(&text), ClientSecret::parse_whsec(&any));
    }
}
