//! The add-in's side (rule 17): a ring that is changed and called with.

use client_registry::ring::{CallError, SharedSecret};
use client_registry::secret::KeyEncoding;
use client_registry::{ClientId, ClientSecret, SecretRing};
use pollster::block_on;
use zeroize::Zeroizing;

use super::search::searching;
use super::{base64, plain};
use crate::support::Seeded;

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
