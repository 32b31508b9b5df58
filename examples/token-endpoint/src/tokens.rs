//! `Tokens`: the access tokens that were issued. They are opaque: random texts, of which only hashes are kept.
//!
//! A token is good until its lifetime ends, or until the secret that it was obtained with does not authenticate any longer: that
//! secret was deleted, disabled or has ended, or its client was suspended. Nobody has to be told: the question is asked at each use.
//!
//! The table is in this process. A server that runs on several nodes keeps it in a database; what is in it stays the same.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use client_registry::clock::Clock;
use client_registry::entropy::{Entropy, SystemEntropy};
use client_registry::oauth::{ErrorCode, OAuthError};
use client_registry::store::{DynStore, StoreError};
use client_registry::{Authenticated, ClientId, Registry, SecretId, Timestamp};
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

/// How long a token is good, at most.
pub const LIFETIME: Duration = Duration::from_secs(600);
/// How many tokens a client has at a time. One that asks for more loses its oldest.
pub const OF_ONE_CLIENT: usize = 64;
/// How many there are in all. Beyond that nothing is issued, until some have ended.
pub const IN_ALL: usize = 100_000;

/// What a token stands for.
#[derive(Debug, Clone)]
pub struct Token {
    /// The client that it was issued to.
    pub client_id: ClientId,
    /// The secret that the client presented for it.
    pub secret: SecretId,
    /// When it was issued.
    pub issued: Timestamp,
    /// The first instant at which it is no longer good.
    pub ends: Timestamp,
}

/// The tokens of this process.
#[derive(Debug)]
pub struct Tokens {
    clock: Arc<dyn Clock>,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    tokens: HashMap<Hash, Token>,
    /// The tokens of each client, oldest first.
    of_client: HashMap<ClientId, VecDeque<Hash>>,
    /// When all that had ended was last removed.
    swept: Option<Timestamp>,
}

type Hash = [u8; 32];

impl Tokens {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, table: Mutex::default() }
    }

    /// Issues a token to a client, and says how long it is good.
    pub(crate) fn issue(&self, client: &Authenticated) -> Result<(String, Duration), OAuthError> {
        let mut random = [0; 32];
        SystemEntropy.fill(&mut random).map_err(|_| unavailable())?;
        let text = BASE64URL_NOPAD.encode(&random);
        let issued = client.at();
        let longest = issued.saturating_add(LIFETIME);
        let ends = client.ends().map_or(longest, |end| end.min(longest));
        let (client_id, secret) = (client.client_id().clone(), client.secret_id());
        self.table().add(hash(&text), Token { client_id, secret, issued, ends })?;
        Ok((text, ends.saturating_since(issued)))
    }

    /// Returns what a text stands for, if it is a token that is good.
    pub(crate) async fn find(
        &self,
        registry: &Registry<DynStore>,
        text: &str,
    ) -> Result<Option<Token>, StoreError> {
        let found = self.table().tokens.get(&hash(text)).cloned();
        match found.filter(|token| self.clock.wall() < token.ends) {
            Some(token) => {
                let alive = registry.is_alive(&token.client_id, token.secret).await?;
                Ok(alive.then_some(token))
            }
            None => Ok(None),
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn add(&mut self, hash: Hash, token: Token) -> Result<(), OAuthError> {
        let due = self.swept.is_none_or(|at| token.issued >= at.saturating_add(SWEEP));
        if due {
            self.sweep(token.issued);
        }
        let held = self.of_client.get(&token.client_id).map_or(0, VecDeque::len);
        if held < OF_ONE_CLIENT && self.tokens.len() >= IN_ALL {
            return Err(unavailable());
        }
        let mine = self.of_client.entry(token.client_id.clone()).or_default();
        if held >= OF_ONE_CLIENT
            && let Some(oldest) = mine.pop_front()
        {
            self.tokens.remove(&oldest);
        }
        mine.push_back(hash);
        self.tokens.insert(hash, token);
        Ok(())
    }

    fn sweep(&mut self, now: Timestamp) {
        self.swept = Some(now);
        self.tokens.retain(|_, token| now < token.ends);
        let tokens = &self.tokens;
        self.of_client.retain(|_, mine| {
            mine.retain(|hash| tokens.contains_key(hash));
            !mine.is_empty()
        });
    }
}

fn hash(text: &str) -> Hash {
    Sha256::digest(text).into()
}

fn unavailable() -> OAuthError {
    OAuthError::new(ErrorCode::TemporarilyUnavailable)
        .described("no token can be issued now, try again later")
}

/// How often tokens that have ended are removed.
const SWEEP: Duration = Duration::from_secs(10);
