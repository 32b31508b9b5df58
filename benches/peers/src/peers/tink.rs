//! tink: a keyset of HMAC-SHA-256 keys with whole tags, of which the primary signs.

use tink_core::Mac;
use tink_core::keyset::{Handle, Manager};

/// So many keys of which the last is the primary.
pub fn keyset(keys: usize) -> Box<dyn Mac> {
    tink_mac::init();
    let mut manager = Manager::new();
    for _ in 0..keys {
        manager.rotate(&tink_mac::hmac_sha256_tag256_key_template()).unwrap();
    }
    let handle: Handle = manager.handle().unwrap();
    tink_mac::new(&handle).unwrap()
}
