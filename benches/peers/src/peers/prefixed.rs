//! prefixed-api-key: a key `prefix_short_long`, of which the short token finds the hash of the long one.

use std::collections::HashMap;

use prefixed_api_key::rand::rngs::OsRng;
use prefixed_api_key::sha2::Sha256;
use prefixed_api_key::{PrefixedApiKey, PrefixedApiKeyController};

pub struct PrefixedKeys {
    controller: PrefixedApiKeyController<OsRng, Sha256>,
    hashes: HashMap<String, String>,
    pub presented: Vec<String>,
}

impl PrefixedKeys {
    /// Keys with the lengths that prefixed-api-key has by default: a long token of 24 bytes.
    pub fn new(keys: usize) -> Self {
        let controller = PrefixedApiKeyController::new("crs".to_owned(), OsRng, None, 8, 24);
        let (mut hashes, mut presented) = (HashMap::new(), Vec::new());
        for _ in 0..keys {
            let (key, hash) = controller.generate_key_and_hash();
            hashes.insert(key.short_token().to_owned(), hash);
            presented.push(key.to_string());
        }
        Self { controller, hashes, presented }
    }

    /// Parses a key, looks its hash up, and checks it.
    pub fn authenticate(&self, presented: &str) -> bool {
        let key = PrefixedApiKey::from_string(presented).unwrap();
        self.hashes.get(key.short_token()).is_some_and(|hash| self.controller.check_hash(&key, hash))
    }

    /// Parses a key and checks it with a hash that is at hand.
    pub fn check(&self, presented: &str, hash: &str) -> bool {
        self.controller.check_hash(&PrefixedApiKey::from_string(presented).unwrap(), hash)
    }

    pub fn hash_of(&self, presented: &str) -> &str {
        &self.hashes[PrefixedApiKey::from_string(presented).unwrap().short_token()]
    }
}
