//! The metadata of a dynamic client registration (RFC 7591 section 2).
#![no_main]

use client_registry::oauth::ClientMetadata;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    match ClientMetadata::parse(input) {
        Ok(metadata) => drop(format!("{metadata:?}")),
        Err(error) => drop(error.response()),
    }
});
