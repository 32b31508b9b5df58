//! The add-in's side: one or two client secrets of one client ID (rule 17).
//!
//! During a rotation the add-in has two client secrets. Incoming messages may be signed with either, and outgoing calls are
//! accepted with one or the other. [`SecretRing`] hides which, and can be changed while it is in use, so that a rotation needs
//! no restart.
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
//! # let old = issued.into_client_secret();
//! # let rotation = Rotation::overlap(Days::new(30));
//! # let new = contoso.client(&id).rotate(rotation).await?.into_client_secret();
//! let ring = SecretRing::new(id.clone(), old, None);
//! ring.add(new); // when the rotation has issued it
//! let signature = registry.sign(&id, b"hello").await?; // the old client secret signs until it ends
//! assert_eq!(ring.verify(&signature, b"hello")?, Slot::Secondary);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod shared_secret;

pub use self::shared_secret::SharedSecret;

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use crate::clock::{Clock, ClockReading, SystemClock};
use crate::secret::{ClientSecret, Signature};
use crate::value::ClientId;
use crate::value::coded::coded;

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
}

struct Keys {
    client_id: ClientId,
    primary: Arc<SharedSecret>,
    secondary: Option<Arc<SharedSecret>>,
    /// When the platform last refused the primary client secret and accepted the secondary one, unless it has accepted the
    /// primary one since.
    fell_back: Mutex<Option<ClockReading>>,
}

/// One of the two places of a ring.
///
/// Exhaustive on purpose: a ring has two places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
        Self::of(Keys::of(client_id, Arc::new(primary.into()), secondary.map(Arc::new)))
    }

    fn of(keys: Arc<Keys>) -> Self {
        Self { keys: RwLock::new(keys), clock: Arc::new(SystemClock::new()) }
    }

    /// Sets the clock that decides when the primary client secret is tried again. It is the system clock unless configured
    /// otherwise.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Adds a client secret as the primary one; the previous primary one becomes the secondary one. Use it when the add-in
    /// receives a new client secret. Calls that are under way continue with the client secrets that they began with.
    ///
    /// Adding the primary client secret again changes nothing, so an add-in that receives the same rotation twice keeps the old
    /// client secret. With another key encoding, it replaces only the primary one.
    pub fn add(&self, primary: impl Into<SharedSecret>) {
        let primary = primary.into();
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let secondary = match primary.has_text_of(&keys.primary) {
            true if primary.key_encoding == keys.primary.key_encoding => return,
            true => keys.secondary.clone(),
            false => Some(Arc::clone(&keys.primary)),
        };
        *keys = Keys::of(keys.client_id.clone(), Arc::new(primary), secondary);
    }

    /// Replaces both client secrets. Calls that are under way continue with those that they began with.
    pub fn replace(&self, primary: impl Into<SharedSecret>, secondary: Option<SharedSecret>) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        *keys = Keys::of(keys.client_id.clone(), Arc::new(primary.into()), secondary.map(Arc::new));
    }

    /// Returns the client ID.
    #[must_use]
    pub fn client_id(&self) -> ClientId {
        self.keys().client_id.clone()
    }

    /// Verifies a message of the platform with either client secret, and returns which one matched.
    ///
    /// # Errors
    /// [`SignatureMismatch`] if neither matched, or if the signature is for another client ID.
    pub fn verify(&self, signature: &Signature, message: &[u8]) -> Result<Slot, SignatureMismatch> {
        let keys = self.keys();
        if *signature.client_id() != keys.client_id {
            return Err(SignatureMismatch);
        }
        keys.verify(signature.mac(), message)
    }

    /// Verifies an HMAC-SHA-256, as a JWT (HS256) or a webhook carries it.
    ///
    /// # Errors
    /// [`SignatureMismatch`] if neither client secret matches.
    pub fn verify_mac(&self, mac: &[u8; 32], message: &[u8]) -> Result<Slot, SignatureMismatch> {
        self.keys().verify(mac, message)
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
                keys.worked(first, false, &*self.clock);
                return Ok(answer);
            }
            Err(CallError::Failed(error)) => return Err(error),
            Err(CallError::InvalidClient(error)) => error,
        };
        if keys.secondary.is_none() {
            return Err(refused);
        }
        match attempt(keys.credentials(second)).await {
            Ok(answer) => {
                keys.worked(second, true, &*self.clock);
                Ok(answer)
            }
            Err(CallError::InvalidClient(error) | CallError::Failed(error)) => Err(error),
        }
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Keys {
    fn of(
        client_id: ClientId,
        primary: Arc<SharedSecret>,
        secondary: Option<Arc<SharedSecret>>,
    ) -> Arc<Self> {
        Arc::new(Self { client_id, primary, secondary, fell_back: Mutex::default() })
    }

    fn verify(&self, mac: &[u8; 32], message: &[u8]) -> Result<Slot, SignatureMismatch> {
        let matches = |secret: &SharedSecret| secret.mac_key.verify(message, mac);
        if matches(&self.primary) {
            Ok(Slot::Primary)
        } else if self.secondary.as_deref().is_some_and(matches) {
            Ok(Slot::Secondary)
        } else {
            Err(SignatureMismatch)
        }
    }

    fn order(&self, clock: &dyn Clock) -> [Slot; 2] {
        let fell_back = *self.fell_back.lock().unwrap_or_else(PoisonError::into_inner);
        match fell_back {
            Some(fell_back) if fell_back.age(clock) < TRIES_PRIMARY_AGAIN => [Slot::Secondary, Slot::Primary],
            _ => [Slot::Primary, Slot::Secondary],
        }
    }

    /// Remembers which client secret the platform accepted. The next try of the primary one is postponed when it is refused
    /// again, not when the secondary one continues to work.
    fn worked(&self, slot: Slot, other_was_refused: bool, clock: &dyn Clock) {
        let mut fell_back = self.fell_back.lock().unwrap_or_else(PoisonError::into_inner);
        match slot {
            Slot::Primary => *fell_back = None,
            Slot::Secondary if other_was_refused => *fell_back = Some(ClockReading::of(clock)),
            Slot::Secondary => {}
        }
    }

    fn credentials(self: &Arc<Self>, slot: Slot) -> Credentials {
        Credentials { keys: Arc::clone(self), slot }
    }
}

/// The credentials for one call to the platform.
#[derive(Clone)]
pub struct Credentials {
    keys: Arc<Keys>,
    slot: Slot,
}

impl Credentials {
    /// Returns the client ID.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        &self.keys.client_id
    }

    /// Returns the client secret.
    #[must_use]
    pub fn client_secret(&self) -> &ClientSecret {
        let secondary = self.keys.secondary.as_ref().filter(|_| self.slot == Slot::Secondary);
        &secondary.unwrap_or(&self.keys.primary).client_secret
    }

    /// Returns which of the two client secrets it is.
    #[must_use]
    pub fn slot(&self) -> Slot {
        self.slot
    }
}

/// The error of an attempt to call the platform.
///
/// Exhaustive on purpose: the caller decides which of the two it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallError<E> {
    /// The platform answered *invalid client*: the other client secret may work.
    InvalidClient(E),
    /// Any other error: the other client secret would not help.
    Failed(E),
}

/// The error for a signature that neither client secret made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature matches neither client secret of this ring")]
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

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("client_id", self.client_id())
            .field("slot", &self.slot)
            .finish_non_exhaustive()
    }
}

/// How long the secondary client secret is tried first at most (rule 17).
const TRIES_PRIMARY_AGAIN: Duration = Duration::from_secs(60 * 60);
