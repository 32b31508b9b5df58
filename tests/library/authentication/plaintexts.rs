//! Plaintexts (rule 8): they are shown once, and no other field takes one, keeps it or repeats it.

use client_registry::client::{ImportedClient, ImportedSecret};
use client_registry::secret::KeyEncoding;
use client_registry::store::RecordId;
use client_registry::value::{Field, Label, Problem, Revision};
use client_registry::{
    AddIn, Availability, ClientDetails, ClientId, ClientSecret, Days, Error, Lifetime, NewSecret, Policy,
    Reason, Refusal, Rotation, SellerId, Signature,
};
use pollster::block_on;

use crate::support::{Platform, Seeded, details, logged, secret_id};

/// Callers swap the two. What could be a client secret is not looked up, since stores and drivers log what they are asked
/// for, and neither logged nor kept.
#[test]
fn rule_08_a_client_secret_in_place_of_the_client_id_is_not_looked_up() {
    for prefix in ["crs", "acme"] {
        let policy = Policy::default().with_secret_prefix(prefix).unwrap();
        let platform = Platform::seeded(11, policy);
        let issued = block_on(platform.register("calendar app"));
        let (id, secret) = (issued.client_id().as_str(), issued.client_secret().expose());
        platform.store.loads();
        let cut = &secret[..secret.len() - 9];
        let slip = secret.replacen('_', "_-", 1);
        let foreign = secret.replacen(prefix, "other", 1);
        let long = format!("{secret}x");
        for swapped in [secret, cut, &slip, &foreign, &long] {
            let (denied, lines) = logged(|| block_on(platform.denied(swapped, id)));
            assert_eq!(denied.reason(), Reason::LooksLikeClientSecret, "{swapped}");
            assert_eq!(denied.client_id(), None);
            assert_eq!(platform.store.loads(), 0, "{swapped}");
            assert!(
                !lines.is_empty() && !lines.iter().any(|line| line.contains(&swapped[5..40])),
                "{lines:?}"
            );
        }
        // The rest of what is no client ID is unknown, and an imported one may begin alike.
        for other in [&secret[..20], "not a client ID"] {
            assert_eq!(block_on(platform.denied(other, id)).reason(), Reason::UnknownClient, "{other}");
        }
        platform.store.loads();
        let hexadecimal = "acme_9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c";
        let imported = ["crs_calendar-app-of-contoso", hexadecimal];
        for id in imported.into_iter().filter(|id| prefix == "crs" || *id != hexadecimal) {
            assert_eq!(block_on(platform.denied(id, secret)).reason(), Reason::UnknownClient);
            assert_eq!(platform.store.loads(), 1);
        }
    }
}

/// Labels, names, domains, URLs and IDs are public: each of them would show a client secret to everybody, for ever.
#[test]
fn rule_08_no_public_field_takes_a_client_secret() {
    let platform = Platform::seeded(13, Policy::default().with_secret_prefix("acme").unwrap());
    let issued = block_on(platform.register("calendar app"));
    let secret = issued.client_secret().expose();
    let client = platform.contoso.client(issued.client_id());
    let (place, year) = (Availability::Worldwide, Lifetime::OneYear);
    let url = format!("https://app.contoso.com/done?secret={secret}&x=1");
    let leaky = [
        ClientDetails::new(&format!("app with {secret}"), "app.contoso.com", "https://app.contoso.com/")
            .unwrap(),
        ClientDetails::new("calendar app", "app.contoso.com", &url).unwrap(),
    ];
    let label = || Label::parse(secret).unwrap();
    let add_in = AddIn::new(secret, place).unwrap();
    let operator = platform.registry.as_operator("ann").unwrap();
    let commits = platform.store.commits().len();
    platform.store.loads();
    let mut answers = vec![];
    for details in leaky {
        answers.push(
            block_on(platform.contoso.register_with(details.clone(), place, NewSecret::lasting(year)))
                .map(drop),
        );
        answers.push(block_on(client.change_details(details.clone())).map(drop));
        let imported = ImportedClient::new(ClientId::parse("legacy-app").unwrap(), contoso(), details, place);
        answers.push(block_on(operator.import(imported)).map(drop));
    }
    answers.push(block_on(client.add_secret(NewSecret::lasting(year).labelled(label()))).map(drop));
    answers.push(block_on(client.rotate(Rotation::overlap(Days::new(2)).labelled(label()))).map(drop));
    answers.push(block_on(client.associate(&add_in)).map(drop));
    answers.push(block_on(platform.contoso.client_of(add_in.id())).map(drop));
    answers.push(block_on(platform.contoso.client_named(secret)).map(drop));
    for (position, answer) in answers.into_iter().enumerate() {
        match answer.unwrap_err() {
            Error::Refused(Refusal::Invalid(invalid)) => assert_eq!(invalid.problem(), Problem::ClientSecret),
            other => panic!("{position}: {other}"),
        }
    }
    for invalid in [
        platform.registry.as_seller(secret).unwrap_err(),
        platform.registry.as_operator(secret).unwrap_err(),
        operator.seller(secret).unwrap_err(),
    ] {
        assert_eq!(invalid.problem(), Problem::ClientSecret);
    }
    assert_eq!(platform.store.commits().len(), commits, "nothing was to be kept");
}

fn contoso() -> SellerId {
    SellerId::parse("contoso").unwrap()
}

/// A text that no client ID may be is not one in any other place either.
#[test]
fn rule_08_what_looks_like_a_client_secret_is_no_client_id() {
    let platform = Platform::seeded(12, Policy::default().with_secret_prefix("acme").unwrap());
    let issued = block_on(platform.register("calendar app"));
    let secret = issued.client_secret().expose();
    for text in [secret, &secret[..secret.len() - 1], &format!("{secret}0")] {
        let error = ClientId::parse(text).unwrap_err();
        assert_eq!((error.field(), error.problem()), (Field::ClientId, Problem::ClientSecret));
        assert!(error.to_string().contains("swapped") && !error.to_string().contains(&text[..12]), "{error}");
        assert!(serde_json::from_str::<ClientId>(&format!("\"{text}\"")).is_err());
        let mac = "A".repeat(43);
        assert!(Signature::parse(&format!("v1:{text}:1:{mac}")).is_err());
    }
    // Cut short, only the policy tells; an import has it at hand.
    let id = ClientId::parse(&secret[..40]).unwrap();
    let imported = ImportedClient::new(id, contoso(), details("legacy"), Availability::Worldwide);
    let operator = platform.registry.as_operator("ann").unwrap();
    let refused = block_on(operator.import(imported)).unwrap_err();
    let Error::Refused(Refusal::Invalid(invalid)) = refused else { panic!("{refused}") };
    assert_eq!((invalid.field(), invalid.problem()), (Field::ClientId, Problem::ClientSecret));
    // What a store holds already is read back.
    let stored = RecordId::parse(secret).unwrap();
    assert_eq!(stored.client_id().unwrap().as_str(), secret);
}

/// Every text that the API hands out about a client, except the plaintext in `Issued`.
async fn everything_told(platform: &Platform, client_id: &ClientId) -> String {
    let client = platform.contoso.client(client_id);
    let snapshot = client.snapshot().await.unwrap();
    let events = client.trail(Revision::ZERO, usize::MAX).await.unwrap();
    let secrets: Vec<_> = snapshot.client().secrets().collect();
    let plan = client.plan_deletion(secret_id(1)).await.unwrap();
    [
        format!("{snapshot:?} {:?}", snapshot.client().timeline()),
        serde_json::to_string(&events).unwrap(),
        serde_json::to_string(&secrets).unwrap(),
        serde_json::to_string(&plan).unwrap(),
    ]
    .concat()
}

#[test]
fn rule_08_a_client_secret_is_shown_once() {
    let platform = Platform::new();
    block_on(async {
        let first = platform.register("calendar app").await;
        let client = platform.contoso.client(first.client_id());
        let second = client.rotate(Rotation::overlap(Days::new(30))).await.unwrap();
        let text = Seeded::new(8).text("!#$%&*+;<>?@^|~", 40);
        let imported =
            ImportedSecret::new(ClientSecret::parse(&text).unwrap(), first.validity(), KeyEncoding::Utf8);
        let third = client.import_secret(imported).await.unwrap();

        let told = everything_told(&platform, first.client_id()).await;
        let snapshot = client.snapshot().await.unwrap();
        for issued in [&first, &second] {
            let text = issued.client_secret().expose();
            let hint = snapshot.client().secret(issued.secret_id()).unwrap().hint().unwrap();
            assert_eq!(hint.as_str(), &text[4..8]);
            assert!(told.contains(hint.as_str()), "or this test looks at nothing");
            for start in 4..=text.len() - 5 {
                assert!(!told.contains(&text[start..start + 5]));
            }
        }
        assert_eq!(snapshot.client().secret(third).unwrap().hint(), None);
        for start in 0..=text.len() - 3 {
            assert!(!told.contains(&text[start..start + 3]));
        }
    });
}

#[test]
fn rule_08_a_call_whose_future_is_dropped_leaves_a_secret_that_was_never_used() {
    let platform = Platform::new();
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client = platform.contoso.client(issued.client_id());
        platform.store.knobs.commit_waits.on();
        {
            let mut call = Box::pin(client.add_secret(NewSecret::lasting(Lifetime::OneYear)));
            assert!(crate::support::poll_once(call.as_mut()).is_pending());
        }
        // The store goes on with what it was given.
        platform.store.knobs.commit_waits.off();
        let commit = platform.store.commits().pop().unwrap();
        client_registry::store::Store::commit(&platform.store, &commit).await.unwrap();
        let snapshot = client.snapshot().await.unwrap();
        let listed: Vec<_> = snapshot.client().secrets().map(client_registry::Secret::id).collect();
        assert_eq!(listed, [secret_id(1), secret_id(2)]);
        assert_eq!(snapshot.last_used(secret_id(2)), None);
    });
}
