//! The registry as somebody who runs the platform sees it: every client ID.

use std::fmt;

use super::view::View;
use super::{ClientHandle, ClientPage, Error, Outcome, Registry, Seller, Snapshot};
use crate::client::{Client, ImportedClient, Refusal};
use crate::id::{Actor, AddInId, ClientId, SellerId};
use crate::invalid::InvalidValue;
use crate::record::Opened;
use crate::store::{ClientsBy, MemoryStore, Store};

/// An operator, who may act on every client ID. Events name the operator.
pub struct Operator<S = MemoryStore> {
    view: View<S>,
}

impl<S: Store> Operator<S> {
    pub(super) fn new(registry: Registry<S>, actor: Actor) -> Self {
        Self { view: View { registry, actor, seller: None } }
    }

    /// A seller's client IDs, with the operator as actor.
    ///
    /// # Errors
    /// [`InvalidValue`] when the text is not a seller's ID.
    pub fn seller(&self, seller: impl AsRef<str>) -> Result<Seller<S>, InvalidValue> {
        let seller = SellerId::parse(seller.as_ref())?;
        Ok(Seller::new(self.view.registry.clone(), self.view.actor.clone(), seller))
    }

    /// One client ID, whoever owns it, to be managed. Nothing is looked up as yet.
    #[must_use]
    pub fn client(&self, client_id: &ClientId) -> ClientHandle<S> {
        ClientHandle::new(self.view.clone(), client_id.clone())
    }

    /// The client ID that an add-in uses (rule 1).
    ///
    /// # Errors
    /// [`Error::Unavailable`]
    pub async fn client_of(&self, add_in: &AddInId) -> Result<Option<Snapshot>, Error> {
        self.view.client_of(add_in).await
    }

    /// All client IDs in the order of their IDs, after one of them, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Unavailable`]
    pub async fn clients(&self, after: Option<&ClientId>, limit: usize) -> Result<ClientPage, Error> {
        self.view.page(ClientsBy::All, after, limit).await
    }

    /// Imports a client ID with everything that belongs to it (rule 18). The same once more changes nothing.
    ///
    /// # Errors
    /// [`Error::NameTaken`], [`Error::AddInTaken`], or a [`Refusal`] as by [`Client::import`] and, where the client ID
    /// exists, [`Client::import_again`].
    pub async fn import(&self, imported: ImportedClient) -> Result<Outcome, Error> {
        // Between looking and committing somebody else may have imported it: then it is there the second time.
        for _ in 0..2 {
            match self.view.find(imported.id()).await? {
                Some(opened) => {
                    let Opened::Active(live) = &opened else {
                        return Err(Refusal::ClientDeleted.into());
                    };
                    live.client().import_again(&imported, &self.view.deciding(&opened))?;
                    return Ok(Outcome::Unchanged);
                }
                None => {
                    let transition = Client::import(&imported, &self.view.deciding_anew())?;
                    if self.view.create("import", transition).await?.is_some() {
                        return Ok(Outcome::Changed);
                    }
                }
            }
        }
        Err(Error::Contention { attempts: 2 })
    }
}

impl<S: Store> fmt::Debug for Operator<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operator").field("actor", &self.view.actor).finish_non_exhaustive()
    }
}
