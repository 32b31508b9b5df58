//! The registry as somebody who runs the platform sees it: every client ID.

use std::fmt;
use std::ops::Range;

use crate::client::{Client, CommandContext, ImportedClient, Refusal};
use crate::record::Opened;
use crate::registry::manage::view::View;
use crate::registry::{ClientHandle, ClientPage, Error, Outcome, Registry, ReportPage, Seller, Snapshot};
use crate::review::{Expiry, Notice};
use crate::store::{ClientsBy, Ending, MemoryStore, Store};
use crate::value::secret_text::refuse_secret;
use crate::value::{Actor, AddInId, ClientId, Field, InvalidValue, SellerId, Timestamp};

/// An operator, who may act on every client ID. Events name the operator.
pub struct Operator<S = MemoryStore> {
    view: View<S>,
}

impl<S: Store> Operator<S> {
    pub(in crate::registry) fn new(registry: Registry<S>, actor: Actor) -> Self {
        Self { view: View { registry, actor, seller: None } }
    }

    /// A seller's client IDs, with the operator as actor.
    ///
    /// # Errors
    /// [`InvalidValue`] when the text is not a seller's ID.
    pub fn seller(&self, seller: impl AsRef<str>) -> Result<Seller<S>, InvalidValue> {
        let seller = SellerId::parse(seller.as_ref())?;
        refuse_secret(Field::SellerId, seller.as_str())?;
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

    /// All client IDs in the order of their IDs, after one of them, at most `limit`. One that cannot be read is
    /// [named](ClientPage::unreadable) beside the others.
    ///
    /// # Errors
    /// [`Error::Unavailable`]
    pub async fn clients(&self, after: Option<&ClientId>, limit: usize) -> Result<ClientPage, Error> {
        self.view.page(ClientsBy::All, after, limit).await
    }

    /// What ends within a span of time, whoever owns it, from the span's start on and before its end: whatever ended in it
    /// already, too. In the order of the ends, after one of them, at most `limit` (at most 1,000). An empty or reversed
    /// span has no lines.
    ///
    /// # Errors
    /// [`Error::Unavailable`]
    pub async fn expiry_report(
        &self,
        ends: &Range<Timestamp>,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<ReportPage<Expiry, Ending>, Error> {
        self.view.expiries(ends, after, limit).await
    }

    /// The notices that fall due within a window of time, whoever owns what ends: [`Notice::DAYS`] before a secret ends.
    /// In the order of the ends, after one of them, about at most `limit` secrets (at most 1,000), with all that there is
    /// about each of them on one page.
    ///
    /// Windows are half-open. The caller keeps the end of the last one and goes on from there, and each notice is given
    /// once, whatever the windows' lengths; a long window holds several about one secret, of which the last is the most
    /// urgent. A window that ends a minute ago or longer misses nothing that another node, whose clock is behind, has yet
    /// to add (rule 19). An empty or reversed window has no notices.
    ///
    /// There is none for a moment at which the secret was not valid yet or disabled, nor for one that had passed when
    /// somebody decided the end: see [`Client::notices`].
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let registry = Registry::in_memory();
    /// # let (kept, now) = (Timestamp::MIN, Timestamp::MAX);
    /// let window = kept..now; // where the last window ended; then keep `now`
    /// let operator = registry.as_operator("nightly-job")?;
    /// let mut after = None;
    /// loop {
    ///     let page = operator.due_notices(&window, after.as_ref(), 100).await?;
    ///     for notice in page.lines() {
    ///         println!("{}: secret {} ends in {}", notice.expiry.owner, notice.expiry.secret, notice.days);
    ///     }
    ///     after = page.next().cloned();
    ///     if after.is_none() {
    ///         break;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unavailable`]
    pub async fn due_notices(
        &self,
        window: &Range<Timestamp>,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<ReportPage<Notice, Ending>, Error> {
        self.view.notices(window, after, limit).await
    }

    /// Imports a client ID with everything that belongs to it (rule 18). The same once more changes nothing.
    ///
    /// A call that is dropped may have imported the client ID: give it again, or [delete the client
    /// ID](ClientHandle::plan_client_deletion), which is then never used again.
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
                    live.client().import_again(&imported, &self.view.context(&opened))?;
                    return Ok(Outcome::Unchanged);
                }
                None => {
                    let import = |context: &CommandContext<'_>| Client::import(&imported, context);
                    if self.view.create("import", import).await?.is_some() {
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
