//! Leaks that are planted, in every encoding that the search knows.

use client_registry::secret::KeyEncoding;
use client_registry::*;
use data_encoding::{BASE64, BASE64URL, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use zeroize::Zeroizing;

use super::faces::{Walker, see};
use super::needles::{Kept, Needles};
use crate::support::{Seeded, bytes_of, chaining_values, key, verifier};

mod planted {
    #[derive(Debug)]
    pub(super) struct Plaintext {
        pub(super) client_secret: String,
    }
    #[derive(Debug, serde::Serialize)]
    pub(super) struct Piece(pub(super) String);
    #[derive(Debug)]
    pub(super) struct Bytes {
        pub(super) verifier: [u8; 32],
    }
    #[derive(Debug)]
    pub(super) struct Words(pub(super) [u32; 8]);
    #[derive(Debug)]
    pub(super) struct Encoded(pub(super) String);
    #[derive(Debug)]
    pub(super) struct Innocent {
        pub(super) hint: String,
    }
}

/// A search that finds nothing proves something only if it would have found it.
#[test]
fn planted_leaks_are_found() {
    let client_id = ClientId::parse("calendar-app").unwrap();
    let generated = ClientSecret::generate(&Policy::default(), &Seeded::new(13)).unwrap();
    let text = generated.expose();
    let base64 = BASE64.encode(&verifier(&client_id, "any 32 bytes will do"));
    let kept = |text: &str, encoding, piece| Kept {
        client_id: client_id.clone(),
        text: Zeroizing::new(text.to_owned()),
        encoding,
        piece,
    };
    let needles = Needles::of(&[kept(text, KeyEncoding::Utf8, 8), kept(&base64, KeyEncoding::Base64, 7)]);
    let decoded = key(&base64, KeyEncoding::Base64);
    let chaining = chaining_values(text.as_bytes()).map(bytes_of);
    let words = |bytes: &[u8]| {
        let mut words = [0; 8];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        words
    };
    let embedded = |before: &str| BASE64URL_NOPAD.encode(format!("{before}{text}&state=1").as_bytes());

    let client_secret = text.to_owned();
    let leaks = |look: &dyn Fn(&mut Walker)| {
        let mut walker = Walker::default();
        look(&mut walker);
        !walker.leaks(&needles).is_empty()
    };
    let plaintext = planted::Plaintext { client_secret };
    assert!(leaks(&|walker| see!(walker, plaintext)));
    assert!(!plaintext.client_secret.is_empty());
    for start in 4..text.len() - 7 {
        let piece = planted::Piece(text[start..start + 8].to_owned());
        assert!(leaks(&|walker| see!(walker, piece)), "at {start}");
    }
    let verifier = verifier(&client_id, text);
    let bytes = planted::Bytes { verifier };
    assert!(leaks(&|walker| see!(walker, bytes)));
    assert_eq!(bytes.verifier, verifier);
    for state in &chaining {
        let words = planted::Words(words(state));
        assert!(leaks(&|walker| see!(walker, words)));
        assert_ne!(words.0, [0; 8]);
    }
    let encoded = [
        HEXLOWER.encode(text.as_bytes()),
        HEXUPPER.encode(&verifier),
        BASE64.encode(text.as_bytes()),
        embedded(""),
        embedded("a"),
        embedded("ab"),
        embedded("client_secret="),
        HEXLOWER.encode(&decoded),
        BASE64URL.encode(&decoded),
        BASE64.encode(&chaining[0]),
    ];
    for text in encoded {
        let encoded = planted::Encoded(text);
        assert!(leaks(&|walker| see!(walker, encoded)), "{}", encoded.0);
    }
    let ((), log) = crate::support::logged(|| tracing::trace!(secret = %text, "a careless line"));
    assert!(log.iter().any(|line| needles.are_in(line)));

    let hint = text[4..8].to_owned();
    let innocent = planted::Innocent { hint };
    assert!(!leaks(&|walker| see!(walker, innocent)), "{}", innocent.hint);
}
