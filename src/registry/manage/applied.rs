//! What a command came to, joined with the client secret that it issued (rule 8).
//!
//! A client secret is generated before the command decides. Here it goes to the caller, with the answer or with the error
//! that says that it may be live; in every other case it is wiped.

use crate::record::Opened;
use crate::registry::{Error, Outcome};
use crate::secret::{ClientSecret, Issued};
use crate::value::SecretId;

/// What a command came to: the client as it is now, and the secrets that were added.
pub(in crate::registry) struct Applied<T> {
    pub(in crate::registry) outcome: Outcome,
    pub(in crate::registry) opened: Opened,
    pub(in crate::registry) added: Vec<SecretId>,
    pub(in crate::registry) extra: T,
}

impl<T> Applied<T> {
    pub(in crate::registry) fn map<U>(self, map: impl FnOnce(T) -> U) -> Applied<U> {
        let Self { outcome, opened, added, extra } = self;
        Applied { outcome, opened, added, extra: map(extra) }
    }
}

/// Joins a client secret with the result of its command. Where the outcome is not known, the client secret goes with the
/// error; where the command was not carried out, it is wiped.
pub(in crate::registry) fn hand_over<T>(
    result: Result<Applied<T>, Error>,
    client_secret: ClientSecret,
) -> Result<(Option<Issued>, T), Error> {
    match result {
        Ok(Applied { opened, added, extra, .. }) => {
            Ok((issued(&opened, added.first().copied(), client_secret), extra))
        }
        Err(Error::Unresolved(mut unresolved)) => {
            let added = unresolved.added;
            unresolved.issued =
                unresolved.opened.first().and_then(|opened| issued(opened, added, client_secret));
            Err(Error::Unresolved(unresolved))
        }
        Err(error) => Err(error),
    }
}

/// Joins a client secret with the result of a command that issues it or changes nothing.
pub(in crate::registry) fn hand_over_one(
    result: Result<Applied<()>, Error>,
    client_secret: ClientSecret,
) -> Result<Issued, Error> {
    match hand_over(result, client_secret)? {
        (Some(issued), ()) => Ok(issued),
        (None, ()) => unreachable!("the core has added a secret, or refused"),
    }
}

fn issued(opened: &Opened, added: Option<SecretId>, client_secret: ClientSecret) -> Option<Issued> {
    let client = opened.client().ok()?;
    let secret = client.secret(added?)?;
    Some(Issued::new(client.id().clone(), secret.id(), secret.validity(), client_secret))
}
