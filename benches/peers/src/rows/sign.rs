//! Signing and verifying 256 bytes and 1 KiB, with one secret and with as many as a client may have.

use std::hint::black_box;

use client_registry::{ClientId, SecretId, Signature};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use standardwebhooks::Webhook;

use crate::clients::{Platform, ready};
use crate::floor::mac::MacKey;
use crate::peers::tink;
use crate::report::Aim::{AtMost, None as NoAim};
use crate::report::Report;

pub fn measure(report: &mut Report) {
    sign(report, "sign 256 bytes", 256, 1.2);
    sign(report, "sign 1 KiB", 1024, 1.1);
    sign_flat(report);
    verify(report, "verify 256 bytes", 256);
    verify(report, "verify 1 KiB", 1024);
    verify_flat(report);
}

fn sign(report: &mut Report, name: &str, bytes: usize, aim: f64) {
    if !report.wants(name) {
        return;
    }
    let message = vec![b'x'; bytes];
    let mut keys = Vec::new();
    let ours = Platform::new(CLIENTS, 1, |_, texts| keys.push(MacKey::new(texts[0].as_bytes())));
    let ids = ours.presented.ids();
    let (mut for_ours, mut for_floor) = (ids.iter().cycle(), keys.iter().cycle());
    let tink = tink::keyset(1);
    let tinks: std::collections::HashMap<_, _> =
        ids.iter().map(|id| (id.as_str(), tink::keyset(1))).collect();
    let mut for_tinks = ids.iter().cycle();
    let secret = ours.presented.at(0).1;
    let jwt = EncodingKey::from_secret(secret.as_bytes());
    let webhook = Webhook::from_bytes(secret.as_bytes().to_vec()).unwrap();
    let row = report.row(name);
    let row = row.ours(|| ready(ours.registry.sign(for_ours.next().unwrap(), &message)).unwrap());
    let row = row.floor(NoAim, || for_floor.next().unwrap().sign(black_box(&message)));
    let row =
        row.peer("tink-mac, one keyset", AtMost(aim), || tink.compute_mac(black_box(&message)).unwrap());
    let row = row.peer("tink-mac, a keyset a client", NoAim, || {
        tinks[for_tinks.next().unwrap().as_str()].compute_mac(&message).unwrap()
    });
    let row = row.peer("jsonwebtoken, HS256", NoAim, || {
        jsonwebtoken::crypto::sign(black_box(&message), &jwt, Algorithm::HS256).unwrap()
    });
    let row = row.peer("standardwebhooks", NoAim, || webhook.sign("msg_1", 1_764_000_000, &message).unwrap());
    report.measure(row);
}

/// The number of secrets costs nothing.
fn sign_flat(report: &mut Report) {
    let name = "sign 256 bytes, 32 secrets beside 1";
    if !report.wants(name) {
        return;
    }
    let message = [b'x'; 256];
    let [one, many] = [1, 32].map(|secrets| Platform::new(CLIENTS, secrets, |_, _| ()));
    let (of_one, of_many) = (one.presented.ids(), many.presented.ids());
    let (mut for_one, mut for_many) = (of_one.iter().cycle(), of_many.iter().cycle());
    let row = report.row(name);
    let row = row.ours(|| ready(many.registry.sign(for_many.next().unwrap(), &message)).unwrap());
    let row = row.peer("ours, 1 secret", AtMost(FLAT), || {
        ready(one.registry.sign(for_one.next().unwrap(), &message)).unwrap()
    });
    report.measure(row);
}

/// A signature that names its secret, of a client with three.
fn verify(report: &mut Report, name: &str, bytes: usize) {
    if !report.wants(name) {
        return;
    }
    let message = vec![b'x'; bytes];
    let (mut keys, mut signatures) = (Vec::new(), Vec::new());
    let ours = signed(3, &message, &mut keys, &mut signatures);
    let (mut for_ours, mut for_floor) = (signatures.iter().cycle(), keys.iter().zip(&signatures).cycle());
    let tink = tink::keyset(3);
    let of_tink = tink.compute_mac(&message).unwrap();
    let secret = ours.presented.at(0).1.as_bytes();
    let jwt = DecodingKey::from_secret(secret);
    let of_jwt =
        jsonwebtoken::crypto::sign(&message, &EncodingKey::from_secret(secret), Algorithm::HS256).unwrap();
    let row = report.row(name);
    let row = row.ours(|| ready(ours.registry.verify(for_ours.next().unwrap(), &message)).unwrap());
    let row = row.floor(NoAim, || {
        let (key, signature) = for_floor.next().unwrap();
        assert!(key.verify(black_box(&message), signature.mac()));
    });
    let row = row.peer("tink-mac, 3 keys", AtMost(1.1), || {
        tink.verify_mac(black_box(&of_tink), &message).unwrap();
    });
    let row = row.peer("jsonwebtoken, HS256", NoAim, || {
        jsonwebtoken::crypto::verify(black_box(&of_jwt), &message, &jwt, Algorithm::HS256).unwrap()
    });
    report.measure(row);
}

fn verify_flat(report: &mut Report) {
    let name = "verify 256 bytes, 32 secrets beside 1";
    if !report.wants(name) {
        return;
    }
    let message = [b'x'; 256];
    let [(one, of_one), (many, of_many)] = [1, 32].map(|secrets| {
        let mut signatures = Vec::new();
        (signed(secrets, &message, &mut Vec::new(), &mut signatures), signatures)
    });
    let (mut for_one, mut for_many) = (of_one.iter().cycle(), of_many.iter().cycle());
    let row = report.row(name);
    let row = row.ours(|| ready(many.registry.verify(for_many.next().unwrap(), &message)).unwrap());
    let row = row.peer("ours, 1 secret", AtMost(FLAT), || {
        ready(one.registry.verify(for_one.next().unwrap(), &message)).unwrap()
    });
    report.measure(row);
}

/// Clients, and of each its last secret's prepared key and signature.
fn signed(secrets: u32, message: &[u8], keys: &mut Vec<MacKey>, signatures: &mut Vec<Signature>) -> Platform {
    Platform::new(CLIENTS, secrets as usize, |id, texts| {
        let key = MacKey::new(texts.last().unwrap().as_bytes());
        let secret = SecretId::new(secrets).unwrap();
        signatures.push(Signature::new(ClientId::parse(id).unwrap(), secret, key.sign(message)));
        keys.push(key);
    })
}

const CLIENTS: usize = 1_000;
/// What still counts as flat.
const FLAT: f64 = 1.05;
