//! What happens to a client ID in the course of its life: overlaps, suspension, attributes, and texts that have leaked.

use client_registry::value::Attributes;
use client_registry::*;

use super::Life;
use super::faces::see;
use crate::support::Watched;

impl Life {
    /// Plans of a rotation that is called off or closed early, and of an end that is moved.
    pub(super) async fn overlap(&mut self, client: &ClientHandle<Watched>) {
        let seen = client.snapshot().await.unwrap().client().revision();
        self.platform.clock.advance(Days::new(1));
        let rotated = client.rotate(Rotation::overlap(Days::new(2))).await.unwrap();
        let (came, _) = self.issued(&rotated);
        let plan = client.plan_calling_off(came).await.unwrap();
        see!(self.walker, plan, plan.last_uses()[0], client.plan_closing(came).await.unwrap());
        let tomorrow =
            client.snapshot().await.unwrap().at().saturating_add(std::time::Duration::from_secs(86_400));
        let end = client.plan_end(came, tomorrow).await.unwrap();
        see!(self.walker, end, client.close_early(came).await);
        client.confirm(plan).await.unwrap();
        let refused = client.plan_closing(came).await;
        self.refused(refused);
        let refused = client.if_at(seen).promote(came).await;
        self.refused(refused);
    }

    /// Attributes, a client that was loaded ahead, and a suspension.
    pub(super) async fn suspended(&mut self, client: &ClientHandle<Watched>, operator: &Operator<Watched>) {
        let issued = client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
        let (_, text) = self.issued(&issued);
        let attributes = Attributes::new([("scopes", text.as_str())]).unwrap();
        // What a seller writes is shown as it was written, except where it looks like a client secret.
        assert!(!format!("{attributes:?}").contains(&text[8..20]));
        let refused = client.change_attributes(attributes).await;
        self.refused(refused);
        let attributes = Attributes::new([("scopes", "calendar.read")]).unwrap();
        see!(self.walker, attributes);
        client.change_attributes(attributes).await.unwrap();
        let registry = self.platform.registry.clone();
        let loaded = registry.load_client(client.id().as_str()).await.unwrap();
        see!(self.walker, loaded, loaded.authenticate(&text).unwrap());

        operator.client(client.id()).suspend().await.unwrap();
        let refused = client.resume().await;
        self.refused(refused);
        see!(self.walker, client.snapshot().await.unwrap().client().suspension().unwrap().clone());
        let answer = registry.authenticate(client.id().as_str(), &text).await;
        assert_eq!(self.access(answer), Reason::Suspended);
        let error = registry.sign(client.id(), b"message").await.unwrap_err();
        see!(self.walker, error);
        operator.client(client.id()).resume().await.unwrap();
        let owner = SellerId::parse("contoso").unwrap();
        see!(self.walker, operator.client(client.id()).transfer(&owner).await);
    }

    /// A search for texts that leaked: dead, live, foreign and mistyped.
    pub(super) async fn leaked(&mut self, operator: &Operator<Watched>, texts: &[&str]) {
        let mut search = operator.find_leaked(texts.iter().copied()).unwrap();
        while search.next_page(1).await.unwrap() {
            see!(self.walker, search);
        }
        see!(self.walker, search, search.verdicts()[0]);
        let leaked = search.found().next().unwrap();
        see!(self.walker, *leaked, leaked.state);
        for (leaked, deleted) in operator.delete_leaked([leaked]).await {
            see!(self.walker, *leaked, deleted);
        }
    }
}
