//! `Page`: a part of a list, with the clients that could not be read and the place where the list goes on.

use serde::Serialize;

use crate::registry::Unreadable;

/// A page of a list: some items, the clients that could not be read, and where to go on.
///
/// `K` is a place in the list: a [`ClientId`](crate::ClientId), or an [`Ending`](crate::store::Ending) in an operator's reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page<T, K> {
    pub(super) items: Vec<T>,
    pub(super) unreadable: Vec<Unreadable>,
    pub(super) next: Option<K>,
}

impl<T, K> Page<T, K> {
    /// Returns the items. There may be fewer than asked for, even none, though more follow.
    #[must_use]
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// Takes the items out of the page.
    #[must_use]
    pub fn into_items(self) -> Vec<T> {
        self.items
    }

    /// Returns the clients on this page that could not be read, each with the reason. Items about them may be missing.
    #[must_use]
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// Returns the place to pass as `after` for the next page; `None` if this is the last page.
    ///
    /// ```
    /// # use client_registry::*;
    /// # #[pollster::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let contoso = Registry::in_memory().as_seller("contoso")?;
    /// let mut after = None;
    /// loop {
    ///     let page = contoso.clients(after.as_ref(), 100).await?;
    ///     for found in page.items() {
    ///         println!("{}", found.client().id());
    ///     }
    ///     after = page.next().cloned();
    ///     if after.is_none() {
    ///         break;
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn next(&self) -> Option<&K> {
        self.next.as_ref()
    }
}
