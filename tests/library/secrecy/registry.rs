//! The registry in memory: each command, its answers and its events.

use std::collections::BTreeSet;

use client_registry::client::ImportedClient;
use client_registry::secret::KeyEncoding;
use client_registry::value::{Label, Revision};
use client_registry::*;

use super::Life;
use super::faces::see;
use crate::support::{details, instant, secret_id};

impl Life {
    /// The registry, from registering to deleting, with everything that goes wrong on the way.
    pub(super) async fn registry(&mut self) {
        let registry = self.platform.registry.clone();
        let contoso = registry.as_seller("contoso").unwrap();
        let operator = registry.as_operator("ann").unwrap();
        see!(self.walker, registry, contoso, operator, registry.policy().clone());

        let first = self.platform.register("calendar app").await;
        let client_id = first.client_id().clone();
        let client = contoso.client(&client_id);
        see!(self.walker, client, client_id);
        let (first_id, first_text) = self.issued(&first);

        let lasting = || NewSecret::lasting(Lifetime::OneYear);
        let added = client.add_secret(lasting()).await.unwrap();
        let (added_id, added_text) = self.issued(&added);
        let password = lasting().for_purpose(Purpose::PasswordOnly);
        let password = client.add_secret(password).await.unwrap();
        let (password_id, password_text) = self.issued(&password);
        let future = lasting().starting(instant("2026-06-01T00:00:00Z"));
        let future = client.add_secret(future).await.unwrap();
        let (_, future_text) = self.issued(&future);
        let rotated = client.rotate(Rotation::overlap(Days::new(2)).replacing([added_id])).await.unwrap();
        self.issued(&rotated);

        for encoding in [KeyEncoding::Utf8, KeyEncoding::Base64] {
            let text = match encoding {
                KeyEncoding::Base64 => self.base64_text(&client_id),
                _ => self.plain_text(&client_id),
            };
            see!(self.walker, encoding);
            let imported = self.importable(&text, encoding);
            let id = client.import_secret(imported).await.unwrap();
            let who = registry.authenticate(client_id.as_str(), &text).await.unwrap();
            see!(self.walker, who, id);
            // Once more with another attribute, and as another key.
            let imported = self.importable(&text, encoding).labelled(Label::parse("other").unwrap());
            let refused = client.import_secret(imported).await;
            self.refused(refused);
        }
        let no_base64 = self.plain_text(&client_id);
        // Of base64 only by its name, so its bytes are those of the text.
        let imported = self.importable(&no_base64, KeyEncoding::Base64);
        let refused = client.import_secret(imported).await;
        self.refused(refused);
        let weak = self.plain_text(&client_id).repeat(2);
        let imported = self.importable(&weak, KeyEncoding::Utf8);
        let refused = client.import_secret(imported).await;
        self.refused(refused);

        self.whole_import(&operator).await;
        self.signatures(&client_id, first_id, password_id, &password_text).await;
        self.pasted_into_the_wrong_field(&first_text, &operator).await;

        // Refusals.
        let refused = client.add_secret(lasting()).await;
        self.refused(refused.map(|_| ()));
        let refused = client.add_secret(NewSecret::lasting(Lifetime::Unlimited)).await.map(|_| ());
        self.refused(refused);
        let refused = client.rotate(Rotation::overlap(Days::new(2)).replacing([added_id])).await.map(|_| ());
        self.refused(refused);
        let refused = client.promote(password_id).await;
        self.refused(refused);
        let refused = client.mark_compromised(first_id).await;
        self.refused(refused);
        let refused = client.promote(secret_id(99)).await;
        self.refused(refused);
        let refused = contoso.register(details("Calendar App"), Lifetime::OneYear).await;
        self.refused(refused.map(|_| ()));
        see!(self.walker, Error::Contention { attempts: 3 });

        // Every reason of a denial.
        let who = registry.authenticate(client_id.as_str(), &first_text).await.unwrap();
        see!(self.walker, who);
        let mut reasons = BTreeSet::new();
        let mut denied = async |life: &mut Self, id: &str, secret: &str| {
            let answer = life.platform.registry.authenticate(id, secret).await;
            reasons.insert(life.access(answer).to_string());
        };
        denied(self, &first_text, client_id.as_str()).await;
        denied(self, &first_text, &first_text).await;
        denied(self, &format!("{first_text} "), &first_text).await;
        denied(self, "no-such-client", &first_text).await;
        denied(self, client_id.as_str(), &first_text[..52]).await;
        denied(self, client_id.as_str(), &format!("x{first_text}")).await;
        denied(self, client_id.as_str(), &first_text[4..]).await;
        denied(self, client_id.as_str(), "1").await;
        denied(self, client_id.as_str(), &future_text).await;

        let plan = client.plan_disabling(password_id).await.unwrap();
        see!(self.walker, plan, client.confirm(plan.clone()).await.unwrap());
        denied(self, client_id.as_str(), &password_text).await;
        let plan = client.plan_deletion(first_id).await.unwrap();
        see!(self.walker, plan, plan.obstacles()[0]);
        let confirmed = client.confirm(plan).await.unwrap_err();
        see!(self.walker, confirmed, confirmed.kind());
        self.platform.clock.advance(Days::new(3));
        denied(self, client_id.as_str(), &added_text).await;
        self.platform.clock.advance(Days::new(8));
        let stale = client.plan_deletion(first_id).await.unwrap();
        client.promote(first_id).await.unwrap();
        see!(self.walker, client.confirm(stale).await.unwrap_err());
        let plan = client.plan_deletion(first_id).await.unwrap();
        client.confirm(plan).await.unwrap();
        denied(self, client_id.as_str(), &first_text).await;
        let again = self.importable(&first_text, KeyEncoding::Utf8);
        let refused = client.import_secret(again).await;
        self.refused(refused);
        client.mark_compromised(first_id).await.unwrap();
        denied(self, client_id.as_str(), &first_text).await;

        let deleted = client.delete_in_emergency(added_id, Some(lasting())).await.unwrap();
        see!(self.walker, deleted);
        if let EmergencyDeletion::Replaced(issued) = &deleted {
            self.issued(issued);
        }
        let deleted = client.delete_in_emergency(rotated.secret_id(), None).await.unwrap();
        see!(self.walker, deleted);
        let too_long = NewSecret::lasting(Lifetime::Unlimited);
        let deleted = client.delete_in_emergency(future.secret_id(), Some(too_long)).await;
        see!(self.walker, deleted.unwrap());

        self.failures(&client).await;
        let later = self.platform.register("a later app").await;
        self.issued(&later);
        registry.authenticate(later.client_id().as_str(), later.client_secret().expose()).await.unwrap();
        self.overlap(&contoso.client(later.client_id())).await;
        self.suspended(&contoso.client(later.client_id()), &operator).await;
        self.leaked(&operator, &[&first_text, &future_text, &weak, &first_text[..52]]).await;

        let snapshot = client.snapshot().await.unwrap();
        see!(self.walker, snapshot);
        self.client(snapshot.client());
        see!(self.walker, contoso.clients(None, 10).await.unwrap());
        self.told(&contoso, &operator, &client).await;
        let plan = client.plan_client_deletion().await.unwrap();
        see!(self.walker, plan);
        client.confirm(plan).await.unwrap();
        denied(self, client_id.as_str(), &added_text).await;
        denied(self, client_id.as_str(), "correct horse battery staple").await;
        assert_eq!(reasons.len(), 11, "all but the one that signatures have: {reasons:?}");
        let refused = client.snapshot().await;
        self.refused(refused);
        let events = client.trail(Revision::ZERO, usize::MAX).await.unwrap();
        self.events(&events);
    }

    /// What a seller should know.
    async fn told(
        &mut self,
        contoso: &Seller<crate::support::Watched>,
        operator: &Operator<crate::support::Watched>,
        client: &ClientHandle<crate::support::Watched>,
    ) {
        let findings = client.review().await.unwrap();
        assert!(findings.len() > 3, "{findings:?}");
        for finding in &findings {
            see!(self.walker, *finding, finding.severity());
        }
        let ever = Timestamp::MIN..Timestamp::MAX;
        let ends = operator.expiry_report(&ever, None, 10).await.unwrap();
        let due = operator.due_notices(&ever, None, 10).await.unwrap();
        see!(self.walker, ends, ends.items()[0], due, due.items()[0]);
        see!(self.walker, contoso.expiry_report(&ever, None, 10).await.unwrap());
        see!(self.walker, contoso.due_notices(&ever, None, 10).await.unwrap());
    }

    async fn whole_import(&mut self, operator: &Operator<crate::support::Watched>) {
        let id = ClientId::parse("legacy-calendar").unwrap();
        let (plain, base64) = (self.plain_text(&id), self.base64_text(&id));
        let weak = self.plain_text(&id).repeat(2);
        for (texts, outcome) in [
            (vec![(&plain, KeyEncoding::Utf8), (&base64, KeyEncoding::Base64)], Some(Outcome::Changed)),
            (vec![(&plain, KeyEncoding::Utf8)], Some(Outcome::Unchanged)),
            (vec![(&plain, KeyEncoding::Utf8), (&plain, KeyEncoding::Utf8)], None),
            (vec![(&base64, KeyEncoding::Utf8)], None),
            (vec![(&weak, KeyEncoding::Utf8)], None),
        ] {
            let owner = SellerId::parse("contoso").unwrap();
            let mut imported =
                ImportedClient::new(id.clone(), owner, details("legacy"), Availability::Worldwide);
            for (text, encoding) in texts {
                imported = imported.with_secret(self.importable(text, encoding));
            }
            see!(self.walker, imported);
            match (operator.import(imported).await, outcome) {
                (Ok(told), Some(outcome)) => {
                    see!(self.walker, told);
                    assert_eq!(told, outcome);
                }
                (result, None) => self.refused(result),
                (Err(error), Some(_)) => panic!("{error}"),
            }
        }
    }

    async fn signatures(
        &mut self,
        client_id: &ClientId,
        first: SecretId,
        password: SecretId,
        password_text: &str,
    ) {
        let registry = self.platform.registry.clone();
        let signature = registry.sign(client_id, b"message").await.unwrap();
        see!(self.walker, signature, registry.sign_all(client_id, b"message").await.unwrap());
        see!(self.walker, registry.verify(&signature, b"message").await.unwrap());
        let any = registry.verify_any(client_id, signature.mac(), b"message").await;
        see!(self.walker, any.unwrap());
        for (secret, mac) in
            [(first, [7; 32]), (password, crate::support::hmac(password_text.as_bytes(), b"message"))]
        {
            let forged = Signature::new(client_id.clone(), secret, mac);
            let answer = registry.verify(&forged, b"message").await;
            self.access(answer);
            let answer = registry.verify_any(client_id, &mac, b"message").await;
            self.access(answer);
        }
        let nobody = ClientId::parse("no-such-client").unwrap();
        let error = registry.sign(&nobody, b"message").await.unwrap_err();
        see!(self.walker, error, error.kind());
    }
}
