//! A whole life of client secrets: issued, presented, rotated, imported, deleted.

use client_registry::client::ImportedClient;
use client_registry::secret::KeyEncoding;
use client_registry::{
    Availability, ClientId, ClientSecret, Days, EmergencyDeletion, Error, Rotation, SellerId,
};
use pollster::block_on;

use super::search::{guard, searching};
use super::{base64, importable, keep, lasting, plain, platform, slip};
use crate::support::{Seeded, details, secret_id};

#[test]
fn rule_08_no_freed_memory_holds_a_client_secret() {
    let search = searching();
    let platform = platform(6);
    block_on(async {
        let texts = Seeded::new(2);
        let issued = platform.register("calendar app").await;
        let first = keep(&issued);
        let (client_id, first_id) = (issued.client_id().clone(), issued.secret_id());
        drop(issued);
        search.nothing_found("issuing the first one");
        let client = platform.contoso.client(&client_id);
        let second = client.add_secret(lasting()).await.unwrap();
        let second_text = keep(&second);
        let owned = second.into_client_secret();
        drop(owned);
        search.nothing_found("adding one");

        for (text, right) in [(&first, true), (&second_text, true)] {
            let answer = platform.registry.authenticate(client_id.as_str(), text).await;
            assert_eq!(answer.is_ok(), right);
        }
        let wrong = [slip(&first), plain(&texts, 53), plain(&texts, 3000)];
        for text in &wrong {
            guard(text.as_bytes());
            let answer = platform.registry.authenticate(client_id.as_str(), text).await;
            answer.unwrap_err();
            // In the wrong place, too.
            let answer = platform.registry.authenticate(text, &first).await;
            answer.unwrap_err();
            let _ = ClientSecret::parse(text).map(drop);
        }
        search.nothing_found("authenticating");

        let rotated = client.rotate(Rotation::overlap(Days::new(3))).await.unwrap();
        let _rotated_text = keep(&rotated);
        drop(rotated);
        let refused = client.rotate(Rotation::overlap(Days::new(3))).await;
        assert!(matches!(refused, Err(Error::Refused(_))));
        search.nothing_found("rotating");

        for (text, encoding) in
            [(plain(&texts, 24), KeyEncoding::Utf8), (base64(&texts, 48), KeyEncoding::Base64)]
        {
            client.import_secret(importable(&text, encoding)).await.unwrap();
            search.nothing_found("importing");
            client.import_secret(importable(&text, encoding)).await.unwrap();
            let other = match encoding {
                KeyEncoding::Base64 => KeyEncoding::Utf8,
                _ => KeyEncoding::Base64,
            };
            let refused = client.import_secret(importable(&text, other)).await;
            assert!(matches!(refused, Err(Error::Refused(_))));
            search.nothing_found("importing once more, and otherwise");
            platform.registry.authenticate(client_id.as_str(), &text).await.unwrap();
        }
        for (text, encoding) in [
            (plain(&texts, 500), KeyEncoding::Utf8),
            (base64(&texts, 384), KeyEncoding::Base64),
            (base64(&texts, 20), KeyEncoding::Base64),
            (plain(&texts, 63), KeyEncoding::Base64),
        ] {
            let refused = client.import_secret(importable(&text, encoding)).await;
            assert!(matches!(refused, Err(Error::Refused(_))), "too many, or not a key");
        }
        search.nothing_found("importing what is refused");

        let operator = platform.registry.as_operator("ann").unwrap();
        let imported = || {
            let (id, owner) = (ClientId::parse("legacy-calendar"), SellerId::parse("contoso"));
            ImportedClient::new(id.unwrap(), owner.unwrap(), details("legacy"), Availability::Worldwide)
        };
        let (long, key, other) = (plain(&texts, 512), base64(&texts, 384), plain(&texts, 54));
        let whole = || {
            imported()
                .with_secret(importable(&long, KeyEncoding::Utf8))
                .with_secret(importable(&key, KeyEncoding::Base64))
                .with_secret(importable(&other, KeyEncoding::Utf8))
        };
        operator.import(whole()).await.unwrap();
        operator.import(whole()).await.unwrap();
        operator.import(whole().with_secret(importable(&long, KeyEncoding::Utf8))).await.unwrap_err();
        search.nothing_found("importing a client");

        let signature = platform.registry.sign(&client_id, b"message").await.unwrap();
        platform.registry.verify(&signature, b"message").await.unwrap();
        search.nothing_found("signing");

        let deleted = client.delete_in_emergency(first_id, Some(lasting())).await.unwrap();
        let EmergencyDeletion::Replaced(replacement) = deleted else { panic!("not replaced") };
        let _replacement_text = keep(&replacement);
        drop(replacement);
        let refused = client.delete_in_emergency(secret_id(99), Some(lasting())).await;
        assert!(refused.is_err());
        search.nothing_found("deleting in an emergency");
        let plan = client.plan_client_deletion().await.unwrap();
        client.confirm(plan).await.unwrap();
        let refused = client.add_secret(lasting()).await;
        assert!(matches!(refused, Err(Error::Refused(_))));
        search.nothing_found("deleting the client");
    });
    drop(platform);
    search.nothing_found("dropping the registry");
}
