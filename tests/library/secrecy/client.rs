//! The core by itself: clients and what is decided about them, without a registry.

use client_registry::client::{Client, ClientState, CommandContext, Decision, LastUses};
use client_registry::secret::KeyEncoding;
use client_registry::value::{Actor, Label};
use client_registry::*;

use super::Life;
use super::faces::see;
use crate::support::{START, details, instant, secret_id};

impl Life {
    /// The core by itself, from the first fact to the tombstone.
    pub(super) fn core(&mut self) {
        let policy = Policy::default().with_retire_after(std::time::Duration::ZERO);
        let seller = SellerId::parse("contoso").unwrap();
        let (actor, now) = (Actor::Seller(seller.clone()), instant(START));
        let context = CommandContext { actor: &actor, policy: &policy, now };
        see!(self.walker, policy, context, actor, seller, now);
        let clients = ["core-client-1", "core-client-2"].map(|id| {
            let id = ClientId::parse(id).unwrap();
            let secret = ClientSecret::generate(&Policy::default(), &self.texts).unwrap();
            self.keep(&id, secret.expose(), KeyEncoding::Utf8, 8);
            let new = NewSecret::lasting(Lifetime::OneYear).labelled(Label::parse("first").unwrap());
            let (owner, details) = (seller.clone(), details(id.as_str()));
            see!(self.walker, new, Lifetime::OneYear, Days::new(3), details);
            see!(self.walker, *details.friendly_name(), *details.app_domain());
            see!(self.walker, *details.redirect_url(), details.friendly_name().key());
            let place = Availability::Worldwide;
            see!(self.walker, place);
            let made = Client::register(id, owner, details, place, &new, &secret, &context).unwrap();
            self.changed(made)
        });
        let [one, two] = clients.each_ref().map(|state| state.active().unwrap());
        let secret = ClientSecret::generate(&Policy::default(), &self.texts).unwrap();
        self.keep(one.id(), secret.expose(), KeyEncoding::Utf8, 8);
        let rotation = Rotation::overlap(Days::new(3)).signing_now();
        see!(self.walker, rotation);
        let state = self.changed(one.rotate(&rotation, &secret, &LastUses::default(), &context).unwrap());
        let one = state.active().unwrap();
        let refused = one.rotate(&rotation, &secret, &LastUses::default(), &context).unwrap_err();
        see!(self.walker, refused);
        let again = one.add_secret(&NewSecret::lasting(Lifetime::OneYear), &secret, &context).unwrap_err();
        see!(self.walker, again);
        see!(self.walker, one.promote(secret_id(2), &context).unwrap());

        let add_in = AddIn::new("mail-helper", Availability::Worldwide).unwrap();
        see!(self.walker, add_in, *add_in.id());
        let state = self.changed(one.associate(&add_in, &context).unwrap());
        let one = state.active().unwrap();
        let moved = one.move_add_in(two, add_in.id(), &context).unwrap();
        see!(self.walker, moved);

        let uses = LastUses::default();
        let plan = one.plan_deletion(secret_id(1), &uses, &context).unwrap();
        see!(self.walker, uses, plan);
        let stale = two.plan_deletion(secret_id(1), &uses, &context).unwrap();
        see!(self.walker, two.confirm(&stale, &uses, &context).unwrap_err());
        let (deleted, replacement) = one.delete_in_emergency(secret_id(2), None, &context).unwrap();
        see!(self.walker, replacement);
        let state = self.changed(deleted);
        let one = state.active().unwrap();
        let (added, replacement) = one
            .delete_in_emergency(
                secret_id(2),
                Some((&NewSecret::lasting(Lifetime::OneYear), &secret)),
                &context,
            )
            .unwrap();
        see!(self.walker, added, replacement);
        let plan = one.plan_client_deletion(&uses, &context).unwrap();
        see!(self.walker, plan);
        let state = self.changed(one.confirm(&plan, &uses, &context).unwrap());
        let ClientState::Deleted(tombstone) = &state else { panic!("not deleted") };
        see!(self.walker, *tombstone);
        let condemned = tombstone.mark_compromised(secret_id(1), &context).unwrap();
        self.changed(condemned);
    }

    fn changed(&mut self, transition: Decision) -> ClientState {
        see!(self.walker, transition);
        let change = transition.change().unwrap();
        see!(self.walker, *change);
        let (state, events) = change.into_parts();
        see!(self.walker, state);
        self.events(&events);
        if let Some(client) = state.active() {
            self.client(client);
        }
        state
    }

    pub(super) fn client(&mut self, client: &Client) {
        see!(self.walker, *client, client.timeline(), client.timeline().spans()[0]);
        see!(self.walker, client.signing_at(client.changed_at()), client.head());
        let (uses, policy) = (LastUses::default(), Policy::default());
        see!(self.walker, client.view(&uses, &policy, client.changed_at()));
        for secret in client.secrets() {
            see!(self.walker, *secret, secret.id(), secret.purpose(), secret.origin());
            see!(self.walker, secret.state_at(client.changed_at()));
            if let Some(hint) = secret.hint() {
                see!(self.walker, hint);
            }
            if let Some(label) = secret.label() {
                see!(self.walker, *label);
            }
        }
        for promotion in client.promotions() {
            see!(self.walker, *promotion);
        }
        for (_, fate) in client.remembered() {
            see!(self.walker, fate);
        }
        let denied = client.authenticate("no such secret", &Policy::default(), client.changed_at());
        see!(self.walker, denied.unwrap_err());
    }

    pub(super) fn events(&mut self, events: &[Event]) {
        for event in events {
            see!(self.walker, *event, *event.fact(), event.revision(), event.hash());
            if let Some(handover) = event.signing() {
                see!(self.walker, handover);
            }
        }
    }
}
