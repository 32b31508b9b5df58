//! The add-in's side: one or two client secrets of one client ID (rule 17).
//!
//! During a rotation the add-in has two client secrets. Incoming messages may be signed with either, and outgoing calls are
//! accepted with one or the other. [`SecretRing`] hides which, and can be changed while it is in use, so that a rotation needs
//! no restart.
//!
//! # From a configuration
//!
//! A [`RingConfig`] says where the client secrets are: each in a file or an environment variable. Write a new client secret to the
//! files, and call [`SecretRing::reload`]; [`RingConfig`] says in which order. [`SecretRing::state`] shows which client secret works.
//!
//! ```
//! use client_registry::ring::{RingConfig, SecretSource, Slot};
//! use client_registry::*;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = std::env::temp_dir().join(format!("client-registry-ring-{}", std::process::id()));
//! # std::fs::create_dir_all(&directory)?;
//! # let [primary, secondary] = ["client-secret", "secondary-client-secret"].map(|name| directory.join(name));
//! # let [old, new] = ["0123456789 abcdefghijklm", "abcdefghijklm 0123456789"];
//! # std::fs::write(&primary, format!("{old}\n"))?;
//! let config = RingConfig::new("calendar-app".parse()?, SecretSource::file(&primary)) // such as /run/secrets/client-secret
//!     .with_secondary(SecretSource::file(&secondary)); // need not exist
//! let ring = SecretRing::from_config(config)?; // or `RingConfig::from_env()?`
//!
//! std::fs::write(&secondary, old)?; // during a rotation
//! std::fs::write(&primary, new)?;
//! assert!(ring.reload()?);
//! assert_eq!(ring.state().tried_first, Slot::Primary);
//! assert!(ring.state().secondary.is_some());
//! # std::fs::remove_dir_all(&directory)?;
//! # Ok(())
//! # }
//! ```
//!
//! # From client secrets
//!
//! ```
//! use client_registry::ring::Slot;
//! use client_registry::*;
//! # pollster::block_on(async {
//! # let registry = Registry::in_memory();
//! # let details = ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done")?;
//! # let contoso = registry.as_seller("contoso")?;
//! # let issued = contoso.register(details, Lifetime::OneYear).await?;
//! # let id = issued.client_id().clone();
//! # let rotation = Rotation::overlap(Days::new(30));
//! # let new = contoso.client(&id).rotate(rotation).await?;
//! let ring = SecretRing::new(id.clone(), issued, None);
//! ring.add(new); // when the rotation has issued it
//! let signature = registry.sign(&id, b"hello").await?; // the old client secret signs until it ends
//! assert_eq!(ring.verify(&signature, b"hello")?, Slot::Secondary);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod call;
mod config;
mod config_error;
mod keys;
mod shared_secret;
mod source;
mod state;

pub use self::call::{CallError, Credentials};
pub use self::config::RingConfig;
pub use self::config_error::{Place, RingConfigError};
pub use self::shared_secret::SharedSecret;
pub use self::source::SecretSource;
pub use self::state::{RingState, SlotState};

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde::Serialize;

use self::keys::{Held, Keys};
use self::source::{ENVIRONMENT, Variables};
use crate::clock::{Clock, SystemClock};
use crate::secret::{MacKey, Signature};
use crate::value::coded::coded;
use crate::value::{ClientId, Timestamp};

/// The credentials of an add-in: a client ID with a primary and an optional secondary client secret.
///
/// ```
/// # use client_registry::ring::Slot;
/// # use client_registry::*;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # pollster::block_on(async {
/// # let registry = Registry::in_memory();
/// # let details = ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done")?;
/// # let issued = registry.as_seller("contoso")?.register(details, Lifetime::OneYear).await?;
/// # let client_id = issued.client_id().clone();
/// # let signature = registry.sign(&client_id, b"hello").await?;
/// let ring = SecretRing::new(client_id, issued.into_client_secret(), None);
/// assert_eq!(ring.verify(&signature, b"hello")?, Slot::Primary);
/// # Ok(()) }) }
/// ```
pub struct SecretRing {
    keys: RwLock<Arc<Keys>>,
    clock: Arc<dyn Clock>,
    /// Where the client secrets are read again. One reload at a time, so that the one that read first does not write last.
    config: Option<Mutex<RingConfig>>,
}

/// One of the two places of a ring.
///
/// Exhaustive on purpose: a ring has two places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// The primary client secret.
    Primary,
    /// The secondary client secret.
    Secondary,
}

impl SecretRing {
    /// Returns a ring of a primary client secret and, during a rotation, a secondary one.
    #[must_use]
    pub fn new(
        client_id: ClientId,
        primary: impl Into<SharedSecret>,
        secondary: Option<SharedSecret>,
    ) -> Self {
        let clock = SystemClock::new();
        let hold = |secret| Held::new(secret, clock.wall());
        let keys = Keys::new(client_id, hold(primary.into()), secondary.map(hold));
        Self { keys: RwLock::new(keys), clock: Arc::new(clock), config: None }
    }

    /// Returns a ring of the client secrets that a configuration leads to. [`reload`](Self::reload) reads them again.
    ///
    /// # Errors
    /// [`RingConfigError`] if a client secret cannot be read, or if there is no primary one.
    pub fn from_config(config: RingConfig) -> Result<Self, RingConfigError> {
        let (primary, secondary) = config.read_with(ENVIRONMENT)?;
        let ring = Self::new(config.client_id().clone(), primary, secondary);
        Ok(Self { config: Some(Mutex::new(config)), ..ring })
    }

    /// Sets the clock that decides when the primary client secret is tried again, and that the instants of the
    /// [state](Self::state) are read from. It is the system clock unless configured otherwise. Set it before the ring is used.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock) -> Self {
        self.keys().begin(clock.wall());
        Self { clock: Arc::new(clock), ..self }
    }

    /// Adds a client secret as the primary one; the previous primary one becomes the secondary one. Use it when the add-in
    /// receives a new client secret. Calls that are under way continue with the client secrets that they began with.
    ///
    /// Adding the primary client secret again changes nothing, so an add-in that receives the same rotation twice keeps the old
    /// client secret. With another key encoding, or another [end](SharedSecret::ending), it replaces only the primary one.
    ///
    /// A ring with a configuration drops the client secret at the next [`reload`](Self::reload), unless it was written to its source.
    pub fn add(&self, primary: impl Into<SharedSecret>) {
        self.change(primary.into(), |keys, primary, _| match primary.is(&keys.primary) {
            true => keys.secondary.clone(),
            false => Some(Arc::clone(&keys.primary)),
        });
    }

    /// Replaces both client secrets. Calls that are under way continue with those that they began with. A client secret that
    /// the ring holds already keeps its state.
    pub fn replace(&self, primary: impl Into<SharedSecret>, secondary: Option<SharedSecret>) {
        self.put(primary.into(), secondary);
    }

    /// Reads the client secrets again from where the [configuration](RingConfig) says they are, and returns whether something
    /// changed. Calls that are under way continue with the client secrets that they began with.
    ///
    /// A client secret that did not change keeps its state. If neither changed, nothing changes, and the next call still begins
    /// with the one that worked last. A ring without a configuration has nothing to read, and answers `false`.
    ///
    /// Call it on a signal, or once a minute. It reads files, so in an asynchronous program call it where blocking is allowed.
    /// Verifying and calling go on meanwhile.
    ///
    /// # Errors
    /// [`RingConfigError`] if a client secret cannot be read, or if there is no primary one. The ring keeps both client secrets that it
    /// has.
    pub fn reload(&self) -> Result<bool, RingConfigError> {
        self.reload_with(ENVIRONMENT)
    }

    fn reload_with(&self, variables: Variables<'_>) -> Result<bool, RingConfigError> {
        let Some(config) = &self.config else { return Ok(false) };
        let config = config.lock().unwrap_or_else(PoisonError::into_inner);
        let (primary, secondary) = config.read_with(variables)?;
        Ok(self.put(primary, secondary))
    }

    fn put(&self, primary: SharedSecret, secondary: Option<SharedSecret>) -> bool {
        self.change(primary, |keys, _, now| secondary.map(|secondary| keys.hold(secondary, now)))
    }

    /// Changes what the ring holds to a primary client secret and the secondary one that goes with it. Returns whether that is
    /// something else than before.
    fn change(
        &self,
        primary: SharedSecret,
        secondary: impl FnOnce(&Keys, &Held, Timestamp) -> Option<Arc<Held>>,
    ) -> bool {
        let now = self.clock.wall(); // without the lock, since the clock may be anybody's
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let primary = keys.hold(primary, now);
        let secondary = secondary(&keys, &primary, now);
        match keys.next(primary, secondary) {
            Some(next) => {
                *keys = next;
                true
            }
            None => false,
        }
    }

    /// Returns the client ID.
    #[must_use]
    pub fn client_id(&self) -> ClientId {
        self.keys().client_id.clone()
    }

    /// Returns which client secret works, since when and until when, as far as is known.
    #[must_use]
    pub fn state(&self) -> RingState {
        self.keys().state(&*self.clock)
    }

    /// Verifies a message of the platform with either client secret, and returns which one matched. The [state](Self::state) shows when
    /// a client secret last did.
    ///
    /// # Errors
    /// [`SignatureMismatch`] if neither client secret made the signature for exactly these bytes, or if the signature is for
    /// another client ID.
    pub fn verify(&self, signature: &Signature, message: &[u8]) -> Result<Slot, SignatureMismatch> {
        let keys = self.keys();
        if *signature.client_id() != keys.client_id {
            return Err(SignatureMismatch);
        }
        keys.verify(|mac_key| mac_key.verify(message, signature.mac()), &*self.clock)
    }

    /// Verifies an HMAC-SHA-256 value of 32 bytes, as another format carries it, with either client secret, and returns which
    /// one matched.
    ///
    /// # Errors
    /// [`SignatureMismatch`] if neither client secret matches.
    pub fn verify_mac(&self, mac: &[u8; 32], message: &[u8]) -> Result<Slot, SignatureMismatch> {
        self.verify_by(|mac_key| mac_key.verify(message, mac))
    }

    /// Verifies what `made` recognises as made with a key.
    pub(crate) fn verify_by(&self, made: impl Fn(&MacKey) -> bool) -> Result<Slot, SignatureMismatch> {
        self.keys().verify(made, &*self.clock)
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Calls the platform with the client secret that worked last, and with the other one if the platform answered *invalid
    /// client* (RFC 6749 section 5.2).
    ///
    /// One hour after the secondary client secret took over, the primary one is tried first again. So a single refusal does not
    /// keep the old client secret in use for ever, which would prevent its deletion.
    ///
    /// ```
    /// # use client_registry::ring::CallError;
    /// # use client_registry::*;
    /// # pollster::block_on(async {
    /// # let ring = SecretRing::new("calendar-app".parse()?, ClientSecret::parse("0123456789 abcdefghijklm")?, None);
    /// # async fn post(_: &str, _: &str) -> Result<u16, &'static str> { Ok(200) }
    /// let answer = ring
    ///     .call(async |credentials| match post(credentials.client_id().as_str(), credentials.client_secret().expose()).await {
    ///         Ok(401) => Err(CallError::InvalidClient("the platform knows neither secret")),
    ///         Ok(status) => Ok(status),
    ///         Err(error) => Err(CallError::Failed(error)),
    ///     })
    ///     .await;
    /// assert_eq!(answer, Ok(200));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The error of the last attempt.
    pub async fn call<T, E, F, A>(&self, mut attempt: F) -> Result<T, E>
    where
        F: FnMut(Credentials) -> A + Send,
        A: Future<Output = Result<T, CallError<E>>> + Send,
        T: Send,
        E: Send,
    {
        let keys = self.keys();
        let [first, second] = keys.order(&*self.clock);
        let refused = match attempt(keys.credentials(first)).await {
            Ok(answer) => {
                keys.accepted(first, false, &*self.clock);
                return Ok(answer);
            }
            Err(CallError::Failed(error)) => return Err(error),
            Err(CallError::InvalidClient(error)) => {
                keys.refused(first, &*self.clock);
                error
            }
        };
        if keys.secondary.is_none() {
            return Err(refused);
        }
        match attempt(keys.credentials(second)).await {
            Ok(answer) => {
                keys.accepted(second, true, &*self.clock);
                Ok(answer)
            }
            Err(CallError::Failed(error)) => Err(error),
            Err(CallError::InvalidClient(error)) => {
                keys.refused(second, &*self.clock);
                Err(error)
            }
        }
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The error for a signature that neither client secret of the ring made for these bytes: they are not exactly the bytes that were
/// sent (parsed JSON that is written again is not), or the ring lacks the client secret that signed: [reload](SecretRing::reload) it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither client secret of this ring signed these bytes: verify them as received, or reload the ring")]
pub struct SignatureMismatch;

coded! {
    SignatureMismatch {
        _ => Unauthenticated "signature_mismatch",
    }
}

impl fmt::Debug for SecretRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys();
        f.debug_struct("SecretRing")
            .field("client_id", &keys.client_id)
            .field("has_secondary", &keys.secondary.is_some())
            .finish_non_exhaustive()
    }
}
