//! The trail of a client ID: all that happened, in words, and whether it is complete (rule 16).

use client_registry::event::{Event, EventHash, Fact, check_trail};
use client_registry::store::DynStore;
use client_registry::value::{Revision, Validity};
use client_registry::{ClientHandle, Error, Timestamp};

use crate::words::{self, When};

/// A trail, as it is shown.
pub(crate) struct Trail {
    /// Newest first.
    pub(crate) entries: Vec<Entry>,
    /// Why it is not complete, unless it is.
    pub(crate) broken: Option<String>,
    /// The hash that the record vouches for.
    pub(crate) head: EventHash,
}

/// An event, as it is shown.
pub(crate) struct Entry {
    pub(crate) at: When,
    pub(crate) actor: String,
    pub(crate) what: String,
    /// Who signed before and after, where it moved.
    pub(crate) signing: Option<String>,
}

impl Trail {
    /// Reads a trail and verifies it.
    pub(crate) async fn read(client: &ClientHandle<DynStore>, now: Timestamp) -> Result<Self, Error> {
        loop {
            let (head, events) = read_to_head(client).await?;
            let broken = check_trail(&events, EventHash::START, head).err();
            // A change in between moves the head: then it is read again.
            if broken.is_some() && client.head().await? != head {
                continue;
            }
            let entries = events.iter().rev().map(|event| Entry::of(event, now)).collect();
            return Ok(Self { entries, broken: broken.map(|error| error.to_string()), head });
        }
    }
}

impl Trail {
    /// Returns the latest entries, newest first.
    pub(crate) fn latest(&self) -> &[Entry] {
        self.entries.get(..LATEST).unwrap_or(&self.entries)
    }

    /// Says whether there are more.
    pub(crate) fn has_more(&self) -> bool {
        self.entries.len() > LATEST
    }
}

async fn read_to_head(client: &ClientHandle<DynStore>) -> Result<(EventHash, Vec<Event>), Error> {
    let head = client.head().await?;
    let (mut events, mut after): (Vec<Event>, _) = (Vec::new(), Revision::ZERO);
    while events.last().map(Event::hash) != Some(head) {
        let more = client.trail(after, 1000).await?;
        let Some(last) = more.last() else { break };
        after = last.revision();
        events.extend(more);
    }
    Ok((head, events))
}

impl Entry {
    fn of(event: &Event, now: Timestamp) -> Self {
        let signing = event.signing().map(|handover| {
            let before = handover.before.map_or("nothing".to_owned(), |id| format!("secret {id}"));
            let after = handover.after.map_or("nothing signs".to_owned(), |id| format!("secret {id} signs"));
            format!("{before} signed before; now {after}")
        });
        let at = When::new(event.at(), now);
        Self { at, actor: event.actor().to_string(), what: what(event.fact(), now), signing }
    }
}

/// Returns a fact in words. They are escaped where they are shown.
fn what(fact: &Fact, now: Timestamp) -> String {
    let end = |validity: &Validity| {
        validity
            .until()
            .map_or("has no end".to_owned(), |until| format!("ends {}", When::new(until, now).words()))
    };
    let on = |at: &Timestamp| When::new(*at, now).words();
    match fact {
        Fact::ClientRegistered { details, availability, .. } => {
            format!(
                "Client ID “{}” was registered, {}",
                details.friendly_name(),
                words::availability(*availability)
            )
        }
        Fact::ClientImported { details, .. } => {
            format!("Client ID “{}” was imported", details.friendly_name())
        }
        Fact::DetailsChanged { details } => {
            format!("The details were changed; it is named “{}”", details.friendly_name())
        }
        Fact::AttributesChanged { .. } => "The attributes were changed".to_owned(),
        Fact::SecretAdded { secret, validity, .. } => {
            format!("Secret {secret} was added; it {}", end(validity))
        }
        Fact::SecretReplaced { secret, by, validity } => {
            format!("Secret {secret} was replaced by secret {by}; it {}", end(validity))
        }
        Fact::SecretRestored { secret, validity } => {
            format!("Secret {secret} was given back its end; it {}", end(validity))
        }
        Fact::EndMoved { secret, validity } => {
            format!("The end of secret {secret} was moved; it {}", end(validity))
        }
        Fact::RotationCalledOff { secret } => format!("The rotation to secret {secret} was called off"),
        Fact::SecretDisabled { secret } => format!("Secret {secret} was disabled"),
        Fact::SecretEnabled { secret } => format!("Secret {secret} was enabled"),
        Fact::SecretDeleted { secret } => format!("Secret {secret} was deleted"),
        Fact::SecretForgotten { secret } => format!("Secret {secret}, which had ended, was forgotten"),
        Fact::SecretCompromised { secret } => format!("Secret {secret} was marked as compromised"),
        Fact::SecretPromoted { secret } => format!("Secret {secret} was promoted"),
        Fact::PromotionScheduled { secret, from } => {
            format!("Secret {secret} was scheduled to sign, {}", on(from))
        }
        Fact::PromotionWithdrawn { secret, from } => {
            format!("The promotion of secret {secret} ({}) was withdrawn", on(from))
        }
        Fact::PromotionRestored { secret, from } => {
            format!("The promotion of secret {secret} ({}) was given back", on(from))
        }
        Fact::AddInAssociated { add_in } => format!("Add-in {add_in} was associated"),
        Fact::AddInDissociated { add_in } => format!("Add-in {add_in} was dissociated"),
        Fact::AddInMovedIn { add_in, from } => {
            format!("Add-in {add_in} was moved here from client ID {from}")
        }
        Fact::AddInMovedOut { add_in, to } => format!("Add-in {add_in} was moved to client ID {to}"),
        Fact::ClientSuspended { .. } => "The client ID was suspended".to_owned(),
        Fact::ClientResumed { .. } => "The client ID was resumed".to_owned(),
        Fact::ClientTransferred { from, to } => format!("The client ID was transferred from {from} to {to}"),
        Fact::ClientDeleted { friendly_name, .. } => {
            format!("Client ID “{friendly_name}” was deleted with all its secrets")
        }
        _ => "Something happened that this version has no words for".to_owned(),
    }
}

const LATEST: usize = 6;
