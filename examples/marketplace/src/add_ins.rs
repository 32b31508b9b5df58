//! What the pages of add-ins have in common: the listing, the client ID that it uses, and what is missing before it can be submitted.

use client_registry::store::DynStore;
use client_registry::{ClientId, Seller, Snapshot};

use crate::catalogue::Listing;
use crate::failure::Failure;
use crate::signed_in::AsSeller;

/// An add-in of the seller, and the client ID that it uses.
pub(crate) struct Found {
    pub(crate) listing: Listing,
    pub(crate) client: Option<Snapshot>,
}

impl Found {
    /// Finds an add-in that stands in a path. One of another seller is not there.
    pub(crate) async fn of(as_seller: &AsSeller, id: &str) -> Result<Self, Failure> {
        let owner = as_seller.seller.id().as_str();
        let Some(mut listing) = as_seller.app.catalogue.find(owner, id).await? else {
            return Err(Failure::not_found("add-in"));
        };
        let client = as_seller.seller.client_of(listing.add_in()?.id()).await?;
        // The registry knows best whether it has a client ID.
        listing.oauth |= client.is_some();
        Ok(Self { listing, client })
    }

    /// Returns the path of its page.
    pub(crate) fn path(&self) -> String {
        path(&self.listing)
    }

    /// Returns what has to be done before it can be submitted, a sentence each.
    pub(crate) fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        let mut need = |is_there: bool, what: &str| {
            if !is_there {
                missing.push(what.to_owned());
            }
        };
        let listing = &self.listing;
        need(!listing.package.is_empty(), "Upload a package.");
        if listing.china {
            need(
                listing.oauth,
                "An add-in for China needs a client ID of its own: tick that it requires server to server authorization.",
            );
            need(listing.blocks_others, "Block every other country: a listing for China is for China only.");
        }
        match &self.client {
            None => need(!listing.oauth, "An add-in that uses OAuth needs its client ID: choose one."),
            Some(found) => {
                let client = found.client();
                need(client.suspension().is_none(), "Its client ID is suspended: resume it.");
                need(
                    found.signing().secret().is_some(),
                    "Its client ID has no valid secret that can sign: add one.",
                );
            }
        }
        missing
    }
}

/// Returns the path of the page of an add-in.
pub(crate) fn path(listing: &Listing) -> String {
    format!("/add-ins/{}", listing.id)
}

/// A client ID that an add-in can use, for a field in which one is chosen by its friendly name.
pub(crate) struct Choice {
    pub(crate) id: ClientId,
    pub(crate) name: String,
}

/// Returns the client IDs that an add-in can use: of its availability, not suspended, with a valid secret, and not the present one.
pub(crate) async fn choices(seller: &Seller<DynStore>, found: &Found) -> Result<Vec<Choice>, Failure> {
    let present = found.client.as_ref().map(|client| client.client().id());
    let (mut choices, mut after) = (Vec::new(), None);
    loop {
        let listed = seller.clients(after.as_ref(), 200).await?;
        after = listed.next().cloned();
        for snapshot in listed.items() {
            let client = snapshot.client();
            let fits = client.availability() == found.listing.availability() && client.suspension().is_none();
            if fits && Some(client.id()) != present && client.valid_at(snapshot.at()).next().is_some() {
                let name = client.details().friendly_name().as_str().to_owned();
                choices.push(Choice { id: client.id().clone(), name });
            }
        }
        if after.is_none() {
            choices.sort_by(|a, b| a.name.cmp(&b.name));
            return Ok(choices);
        }
    }
}
