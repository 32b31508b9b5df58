//! Nothing that a client secret, or a key, could be computed from stands anywhere in the file or beside it.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use client_registry::client::ImportedSecret;
use client_registry::secret::KeyEncoding;
use client_registry::store::Store;
use client_registry::value::{KeyId, Validity};
use client_registry::{ClientId, ClientSecret, Days, Keyring, Registry, Rotation};
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use hkdf::Hkdf;
use pollster::block_on;
use sha2::{Digest, Sha256};

use crate::support::chaining_values;
use crate::world::{KEY, Scratch, World};

/// Pieces of what must not be found, by their length.
#[derive(Default)]
struct Needles(BTreeMap<usize, HashSet<Vec<u8>>>);

impl Needles {
    fn add_pieces(&mut self, bytes: &[u8], piece: usize) {
        self.0.entry(piece).or_default().extend(bytes.windows(piece).map(<[u8]>::to_vec));
    }

    /// As it is, in hex, and in base64, also inside something longer.
    fn add(&mut self, bytes: &[u8]) {
        self.add_pieces(bytes, 8);
        for hex in [HEXLOWER, HEXUPPER] {
            self.add_pieces(hex.encode(bytes).as_bytes(), 16);
        }
        for base64 in [BASE64_NOPAD, BASE64URL_NOPAD] {
            for offset in 0..3 {
                let inner = &bytes[offset..];
                self.add_pieces(base64.encode(&inner[..inner.len() / 3 * 3]).as_bytes(), 12);
            }
        }
    }

    /// Everything that there is of a client secret.
    fn add_secret(&mut self, client_id: &ClientId, text: &str, encoding: KeyEncoding) {
        self.add(text.strip_prefix("crs_").unwrap_or(text).as_bytes());
        let mut verifier = Sha256::new();
        for part in [b"client-registry/verifier/1\0", client_id.as_str().as_bytes(), b"\0", text.as_bytes()] {
            verifier.update(part);
        }
        self.add(&verifier.finalize());
        self.add(&Sha256::digest(text.as_bytes()));
        let key = match encoding {
            KeyEncoding::Base64 => BASE64.decode(text.as_bytes()).unwrap(),
            _ => text.as_bytes().to_vec(),
        };
        self.add(&key);
        for state in chaining_values(&key) {
            let words = state.each_ref().map(|word| word.to_be_bytes());
            self.add(words.as_flattened());
            let words = state.each_ref().map(|word| word.to_le_bytes());
            self.add(words.as_flattened());
        }
    }

    /// The files of a directory in which one is.
    fn found_in(&self, directory: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for file in fs::read_dir(directory).unwrap() {
            let file = file.unwrap();
            let bytes = fs::read(file.path()).unwrap();
            let has = |(piece, pieces): (&usize, &HashSet<Vec<u8>>)| {
                bytes.windows(*piece).any(|window| pieces.contains(window))
            };
            if self.0.iter().any(has) {
                found.push(file.file_name().into_string().unwrap());
            }
        }
        found
    }
}

#[test]
fn rule_08_no_client_secret_and_no_key_is_in_the_file_or_beside_it() {
    let world = World::new();
    let mut needles = Needles::default();
    needles.add(&KEY);
    let mut subkey = [0; 32];
    Hkdf::<Sha256>::new(None, &KEY).expand(b"client-registry/seal/1", &mut subkey).unwrap();
    needles.add(&subkey);
    for number in 0..20 {
        let issued = world.register(&format!("app {number}"));
        let client_id = issued.client_id().clone();
        let calendar = world.contoso.client(&client_id);
        let rotated = block_on(calendar.rotate(Rotation::overlap(Days::new(3)).signing_now())).unwrap();
        let added = world.add_secret(&client_id);
        for issued in [&issued, &rotated, &added] {
            let text = issued.client_secret().expose();
            needles.add_secret(&client_id, text, KeyEncoding::Utf8);
            block_on(world.registry.authenticate(client_id.as_str(), text)).unwrap();
        }
        let imported = BASE64.encode(&Sha256::digest(format!("an imported key, {number}").as_bytes()));
        let validity = Validity::new(world.now(), Some(world.in_days(100))).unwrap();
        let secret = ClientSecret::parse(&imported).unwrap();
        let secret = ImportedSecret::new(secret, validity, KeyEncoding::Base64);
        block_on(calendar.import_secret(secret)).unwrap();
        needles.add_secret(&client_id, &imported, KeyEncoding::Base64);
        block_on(world.registry.authenticate(client_id.as_str(), "crs_a-secret-of-nobody-at-all-0000"))
            .unwrap_err();
        world.delete(&client_id, issued.secret_id());
    }
    block_on(world.registry.flush_last_uses()).unwrap();
    assert_eq!(needles.found_in(world.scratch.path()), [""; 0], "while it is in use");
    let copy = Scratch::new();
    block_on(world.store().backup_to(copy.file())).unwrap();
    assert_eq!(needles.found_in(copy.path()), [""; 0], "in a copy");
    let (scratch, _) = world.close();
    assert_eq!(needles.found_in(scratch.path()), [""; 0], "when it is closed");
}

/// A search that finds nothing proves something only if it would have found it.
#[test]
fn what_is_planted_is_found() {
    let client_id = ClientId::parse("calendar-app").unwrap();
    let secret = "crs_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ";
    let mut needles = Needles::default();
    needles.add(&KEY);
    needles.add_secret(&client_id, secret, KeyEncoding::Utf8);
    let mut verifier = b"client-registry/verifier/1\0calendar-app\0".to_vec();
    verifier.extend(secret.as_bytes());
    let verifier = Sha256::digest(&verifier);
    let state = chaining_values(secret.as_bytes())[1].map(u32::to_be_bytes);
    let planted: [Vec<u8>; 8] = [
        secret.as_bytes()[20..30].to_vec(),
        verifier[8..24].to_vec(),
        state.as_flattened()[..16].to_vec(),
        KEY[3..20].to_vec(),
        HEXUPPER.encode(&verifier).into_bytes(),
        HEXLOWER.encode(secret.as_bytes()).into_bytes(),
        BASE64.encode(format!("a:{secret}").as_bytes()).into_bytes(),
        BASE64URL_NOPAD.encode(&KEY).into_bytes(),
    ];
    for piece in planted {
        let world = World::new();
        // First in the log, then in the file.
        let planting = "UPDATE record SET sealed = ?1 WHERE id = '~registry'";
        world.scratch.engine().execute(planting, [&piece]).unwrap();
        assert_eq!(needles.found_in(world.scratch.path()), ["registry.db-wal"], "{piece:?}");
        let (scratch, _) = world.close();
        assert_eq!(needles.found_in(scratch.path()), ["registry.db"], "{piece:?}");
    }
}

/// An old key opens nothing any longer once everything has been resealed.
#[test]
fn what_was_sealed_under_an_old_key_is_gone_from_the_file() {
    let world = World::new();
    let mut needles = Needles::default();
    for number in 0..30 {
        let client_id = world.register(&format!("app {number}")).client_id().clone();
        let record = block_on(world.store().load((&client_id).into())).unwrap().unwrap();
        needles.add_pieces(record.parts().unwrap().sealed, 16);
    }
    let world = world.again();
    assert_eq!(needles.found_in(world.scratch.path()), ["registry.db"]);
    let newer = Keyring::new(KeyId::parse("2027").unwrap(), b"another thirty-two bytes of keys").unwrap();
    let newer = newer.with(KeyId::parse("2026").unwrap(), &KEY).unwrap();
    let registry = block_on(Registry::open(world.store().clone(), newer)).unwrap();
    let mut resealing = block_on(registry.reseal()).unwrap();
    while block_on(resealing.step(10)).unwrap().is_some() {}
    drop((registry, resealing));
    let (scratch, _) = world.close();
    assert_eq!(needles.found_in(scratch.path()), [""; 0]);
}
