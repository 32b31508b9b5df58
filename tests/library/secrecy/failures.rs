//! Client secrets in the wrong field, and everything that is refused.

use client_registry::entropy::EntropyError;
use client_registry::event::EventHash;
use client_registry::registry::Resolution;
use client_registry::secret::Hint;
use client_registry::value::{AppDomain, FriendlyName, Label, OperatorId, RedirectUrl};
use client_registry::*;

use super::Life;
use super::faces::see;
use crate::support::details;

impl Life {
    /// A user who pastes a client secret into a field for something else.
    pub(super) async fn pasted_into_the_wrong_field(
        &mut self,
        secret: &str,
        operator: &Operator<crate::support::Watched>,
    ) {
        let (padded, line) = (format!("{secret} "), format!("{secret}\n"));
        let invalid = [
            ClientId::parse(&padded).unwrap_err(),
            SellerId::parse(&padded).unwrap_err(),
            OperatorId::parse(&padded).unwrap_err(),
            AddInId::parse(&padded).unwrap_err(),
            secret.parse::<SecretId>().unwrap_err(),
            FriendlyName::parse(&line).unwrap_err(),
            Label::parse(&line).unwrap_err(),
            AppDomain::parse(secret).unwrap_err(),
            RedirectUrl::parse(secret).unwrap_err(),
            ClientDetails::new(secret, secret, secret).unwrap_err(),
            Signature::parse(secret).unwrap_err(),
            Signature::parse(&format!("v1:calendar-app:1:{secret}")).unwrap_err(),
            ClientSecret::parse(&line).unwrap_err(),
            Policy::default().with_secret_prefix(secret).unwrap_err(),
            Policy::default().with_redirect_scheme(secret).unwrap_err(),
            operator.seller(&padded).unwrap_err(),
        ];
        for error in invalid {
            see!(self.walker, error, error.field(), error.problem());
            self.refused::<()>(Err(error.into()));
        }
        see!(self.walker, secret.parse::<EventHash>().unwrap_err());
        let json = |text: &str| serde_json::to_string(text).unwrap();
        let unreadable = [
            serde_json::from_str::<ClientId>(&json(&padded)).map(drop),
            serde_json::from_str::<SellerId>(&json(&padded)).map(drop),
            serde_json::from_str::<FriendlyName>(&json(&line)).map(drop),
            serde_json::from_str::<AppDomain>(&json(secret)).map(drop),
            serde_json::from_str::<RedirectUrl>(&json(secret)).map(drop),
            serde_json::from_str::<Signature>(&json(secret)).map(drop),
            serde_json::from_str::<EventHash>(&json(secret)).map(drop),
            serde_json::from_str::<Hint>(&json(secret)).map(drop),
            serde_json::from_str::<Timestamp>(&json(secret)).map(drop),
        ];
        for error in unreadable {
            see!(self.walker, error.unwrap_err());
        }
    }

    /// A store that fails at every point, and one that keeps what it should not have said it lost.
    pub(super) async fn failures(&mut self, client: &ClientHandle<crate::support::Watched>) {
        let lasting = || NewSecret::lasting(Lifetime::OneYear);
        let registry = self.platform.registry.clone();
        let knobs = std::sync::Arc::clone(&self.platform.store.knobs);
        knobs.load_fails.on();
        let failed = client.add_secret(lasting()).await;
        self.refused(failed.map(|_| ()));
        let text = self.plain_text(client.id());
        let error = registry.authenticate(client.id().as_str(), &text).await.unwrap_err();
        see!(self.walker, error);
        let error = registry.sign(client.id(), b"message").await.unwrap_err();
        see!(self.walker, error);
        knobs.load_fails.off();

        // The answer to the commit is lost: sending it again tells that it was made.
        knobs.answer_is_lost.on();
        let issued = client.add_secret(lasting()).await.unwrap();
        knobs.answer_is_lost.off();
        let (id, _) = self.issued(&issued);
        let _ = client.delete_in_emergency(id, None).await.unwrap();

        knobs.commit_fails.on();
        let error = client.add_secret(lasting()).await.unwrap_err();
        see!(self.walker, error);
        let Error::Unresolved(unresolved) = error else { panic!("resolved: {error}") };
        see!(self.walker, *unresolved, *unresolved.cause());
        self.issued(unresolved.issued().unwrap());
        let unresolved = registry.resolve(*unresolved).await.unwrap_err();
        see!(self.walker, unresolved);
        knobs.commit_fails.off();
        let resolution = registry.resolve(unresolved).await.unwrap();
        see!(self.walker, resolution);
        let Resolution::Made(Some(issued)) = &resolution else { panic!("not made") };
        let _ = client.delete_in_emergency(issued.secret_id(), None).await.unwrap();

        knobs.commit_fails.on();
        let error = client.rotate(Rotation::overlap(Days::new(1))).await.unwrap_err();
        knobs.commit_fails.off();
        client.change_details(details("overtaken")).await.unwrap();
        let Error::Unresolved(unresolved) = error else { panic!("resolved: {error}") };
        self.issued(unresolved.issued().unwrap());
        let resolution = registry.resolve(*unresolved).await.unwrap();
        assert!(matches!(resolution, Resolution::NotMade));
        see!(self.walker, resolution);
        let error = EntropyError::new("the source is dry");
        see!(self.walker, error, Error::from(error.clone()));
    }
}
