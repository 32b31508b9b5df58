//! What may cross threads and be moved: public types are `Send`, `Sync` and `Unpin`, and every future of the registry
//! is `Send`, whatever the store.

use std::ops::Range;

use client_registry::client::{
    Client, ClientDeletion, Decision, Denial, ImportedClient, ImportedSecret, SecretDeletion, Tombstone,
};
use client_registry::entropy::EntropyError;
use client_registry::registry::{ConfirmError, Page, Resolution, Unresolved};
use client_registry::review::{Expiry, Notice};
use client_registry::ring::{
    Credentials, RingConfig, RingConfigError, RingState, SecretSource, SharedSecret,
};
use client_registry::store::{DynStore, MemoryStore, Record, Store};
use client_registry::value::Revision;
use client_registry::*;

fn everywhere<T: Send + Sync + Unpin + 'static>() {}
fn errors<T: std::error::Error + Send + Sync + Unpin + 'static>() {}
fn cheap_to_share<T: Clone + Send + Sync + Unpin + 'static>() {}
fn sends<T: Send>(_: impl FnOnce() -> T) {}

#[test]
fn public_types_cross_threads() {
    cheap_to_share::<Registry>();
    cheap_to_share::<Registry<DynStore>>();
    cheap_to_share::<Snapshot>();
    cheap_to_share::<Authenticated>();
    cheap_to_share::<Record>();
    cheap_to_share::<MemoryStore>();
    #[cfg(feature = "sqlite")]
    cheap_to_share::<store::SqliteStore>();
    #[cfg(feature = "postgres")]
    {
        cheap_to_share::<store::PostgresStore>();
        cheap_to_share::<store::PostgresOptions>();
        everywhere::<store::ChangeHints>();
    }
    cheap_to_share::<Credentials>();
    cheap_to_share::<RingConfig>();
    cheap_to_share::<RingState>();
    cheap_to_share::<SecretSource>();
    cheap_to_share::<Plan<SecretDeletion>>();
    cheap_to_share::<Signature>();
    cheap_to_share::<Finding>();
    cheap_to_share::<Page<Expiry, store::Ending>>();
    cheap_to_share::<Page<Notice, ClientId>>();
    everywhere::<Seller<DynStore>>();
    everywhere::<Operator<DynStore>>();
    everywhere::<ClientHandle<DynStore>>();
    everywhere::<RegistryBuilder>();
    everywhere::<Client>();
    everywhere::<Tombstone>();
    everywhere::<Decision>();
    everywhere::<ClientSecret>();
    everywhere::<Issued>();
    everywhere::<EmergencyDeletion>();
    everywhere::<Unresolved>();
    everywhere::<Resolution>();
    everywhere::<ImportedClient>();
    everywhere::<SecretRing>();
    everywhere::<SharedSecret>();
    errors::<Error>();
    errors::<AccessError>();
    errors::<Denied>();
    errors::<Denial>();
    errors::<SignError>();
    errors::<ConfirmError<SecretDeletion>>();
    errors::<Refusal>();
    errors::<InvalidValue>();
    errors::<EntropyError>();
    errors::<RingConfigError>();
    cheap_to_share::<jwt::VerifiedJwt<String>>();
    errors::<jwt::JwtError>();
    errors::<jwt::SignJwtError>();
    #[cfg(feature = "webhooks")]
    {
        cheap_to_share::<webhooks::WebhookHeaders>();
        cheap_to_share::<webhooks::VerifiedWebhook>();
        everywhere::<webhooks::WebhookReceiver>();
        errors::<webhooks::WebhookError>();
        errors::<webhooks::SignWebhookError>();
    }
    errors::<store::StoreError>();
    errors::<store::CommitError>();
}

/// Never run: that it compiles is the test.
#[expect(clippy::too_many_arguments, reason = "one of everything that a command takes")]
fn futures_are_send<S: Store>(
    registry: &Registry<S>,
    seller: &Seller<S>,
    operator: &Operator<S>,
    client: &ClientHandle<S>,
    (id, secret, add_in, window): (&ClientId, SecretId, &AddIn, &Range<Timestamp>),
    (details, new): (ClientDetails, NewSecret),
    (imported, whole): (ImportedSecret, ImportedClient),
    (signature, unresolved, plan): (&Signature, Unresolved, Plan<ClientDeletion>),
) {
    sends(|| registry.authenticate("", ""));
    sends(|| registry.sign(id, b""));
    sends(|| registry.sign_all(id, b""));
    sends(|| registry.sign_jwt(id, signature, std::time::Duration::from_secs(300)));
    #[cfg(feature = "webhooks")]
    {
        sends(|| registry.sign_webhook(id, "", b""));
        sends(|| registry.sign_webhook_with_all(id, "", b""));
    }
    sends(|| registry.verify(signature, b""));
    sends(|| registry.verify_any(id, signature.mac(), b""));
    sends(|| registry.flush_last_uses());
    sends(|| registry.resolve(unresolved));
    sends(|| seller.register(details.clone(), Lifetime::OneYear));
    sends(|| seller.register_with(details.clone(), Availability::Worldwide, new.clone()));
    sends(|| seller.client_named(""));
    sends(|| seller.client_of(add_in.id()));
    sends(|| seller.clients(None, 1));
    sends(|| seller.expiry_report(window, None, 1));
    sends(|| seller.due_notices(window, None, 1));
    sends(|| operator.client_of(add_in.id()));
    sends(|| operator.expiry_report(window, None, 1));
    sends(|| operator.due_notices(window, None, 1));
    sends(|| operator.clients(None, 1));
    sends(|| operator.import(whole));
    sends(|| client.snapshot());
    sends(|| client.review());
    sends(|| client.trail(Revision::ZERO, 1));
    sends(|| client.change_details(details));
    sends(|| client.add_secret(new.clone()));
    sends(|| client.import_secret(imported));
    sends(|| client.rotate(Rotation::overlap(Days::new(1))));
    sends(|| client.promote(secret));
    sends(|| client.schedule_promotion(secret, Timestamp::MAX));
    sends(|| client.withdraw_promotion(secret));
    sends(|| client.enable(secret));
    sends(|| client.plan_disabling(secret));
    sends(|| client.plan_deletion(secret));
    sends(|| client.plan_client_deletion());
    sends(|| client.confirm(plan));
    sends(|| client.delete_in_emergency(secret, Some(new)));
    sends(|| client.mark_compromised(secret));
    sends(|| client.associate(add_in));
    sends(|| client.dissociate(add_in.id()));
    sends(|| client.move_add_in(add_in.id(), id));
}

#[test]
fn every_future_of_the_registry_is_send() {
    let _ = futures_are_send::<MemoryStore>;
    let _ = futures_are_send::<DynStore>;
    let _ = futures_are_send::<crate::support::Watched>;
}
