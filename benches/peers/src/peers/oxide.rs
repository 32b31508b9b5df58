//! oxide-auth's `ClientMap`, with a password policy of ours: one secret for each client, no expiry.

use oxide_auth::primitives::registrar::{
    Argon2, Client, ClientMap, ExactUrl, PasswordPolicy, RegisteredUrl, RegistrarError,
};
use sha2::{Digest, Sha256};

/// The fastest policy that a user could write: one SHA-256 of the secret, compared in words.
pub struct OneSha256;

impl PasswordPolicy for OneSha256 {
    fn store(&self, _: &str, passphrase: &[u8]) -> Vec<u8> {
        Sha256::digest(passphrase).to_vec()
    }

    fn check(&self, _: &str, passphrase: &[u8], stored: &[u8]) -> Result<(), RegistrarError> {
        let presented: [u8; 32] = Sha256::digest(passphrase).into();
        let mut difference = 0;
        for (one, other) in presented.as_chunks::<8>().0.iter().zip(stored.as_chunks::<8>().0) {
            difference |= u64::from_ne_bytes(*one) ^ u64::from_ne_bytes(*other);
        }
        if difference == 0 && stored.len() == 32 { Ok(()) } else { Err(RegistrarError::Unspecified) }
    }
}

/// Clients with the fastest policy.
pub fn with_sha256() -> ClientMap {
    let mut clients = ClientMap::new();
    clients.set_password_policy(OneSha256);
    clients
}

/// Clients with the policy that oxide-auth has by default: Argon2.
pub fn with_default() -> ClientMap {
    let mut clients = ClientMap::new();
    clients.set_password_policy(Argon2::default());
    clients
}

pub fn register(clients: &mut ClientMap, id: &str, secret: &str) {
    let url = ExactUrl::new("https://app.contoso.com/signed-in".to_owned()).unwrap();
    let scope = "default".parse().unwrap();
    clients.register_client(Client::confidential(id, RegisteredUrl::Exact(url), scope, secret.as_bytes()));
}
