//! The races, one per pair of commands that the rules have something to say about.

mod clients;
mod life;
mod secrets;

use std::rc::Rc;

use client_registry::client::ImportedSecret;
use client_registry::secret::KeyEncoding;
use client_registry::*;

use crate::interleavings::gates::Gated;
use crate::interleavings::world::{in_words, one_more};

type Handle = Rc<ClientHandle<Gated>>;

async fn add(client: Handle) -> String {
    in_words(client.add_secret(one_more()).await)
}

fn moved_in() -> ImportedSecret {
    let text = ClientSecret::parse("an imported client secret, 1").unwrap();
    let from: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let validity = Lifetime::OneYear.starting(from).unwrap();
    ImportedSecret::new(text, validity, KeyEncoding::Utf8)
}
