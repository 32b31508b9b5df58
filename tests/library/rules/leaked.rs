//! Rule 23: given nothing but texts, an operator learns whose they are.

use client_registry::client::ImportedSecret;
use client_registry::client::LeakedState;
use client_registry::registry::LeakVerdict;
use client_registry::secret::KeyEncoding;
use client_registry::store::{RecordId, Store};
use client_registry::*;
use pollster::block_on;

use crate::at_rest::hostile::Hostile;
use crate::support::{Platform, Seeded, contoso, details, foreign_text, later, logged, start, validity};

fn imported(number: usize) -> ImportedSecret {
    let validity = validity(start(), later(start(), 1_000_000_000_000));
    ImportedSecret::new(ClientSecret::parse(&foreign_text(number)).unwrap(), validity, KeyEncoding::Utf8)
}

/// "Client, secret, state; ended, disabled, deleted and remembered ones too", in every state and in all that is left of a client.
/// "Finding deletes nothing", notes no use and raises no alarm.
#[test]
fn rule_23_every_state_is_found_and_nothing_is_touched() {
    let policy = Policy::default().with_max_secrets(9).unwrap();
    let platform = Platform::seeded(23, policy);
    let year = || NewSecret::lasting(Lifetime::OneYear);
    let (mut texts, mut expected) = (Vec::new(), Vec::new());
    block_on(async {
        let issued = platform.register("calendar app").await;
        let client = platform.contoso.client(issued.client_id());
        let mut note = |issued: &Issued, state| {
            texts.push(issued.client_secret().expose().to_owned());
            expected.push((issued.client_id().clone(), issued.secret_id(), state));
        };
        note(&issued, LeakedState::Valid);
        let ended = client.add_secret(NewSecret::lasting(Lifetime::Days(Days::new(1)))).await.unwrap();
        note(&ended, LeakedState::Ended);
        let future = client.add_secret(year().starting(later(start(), 200_000_000_000))).await.unwrap();
        note(&future, LeakedState::NotYetStarted);
        let disabled = client.add_secret(year()).await.unwrap();
        client.confirm(client.plan_disabling(disabled.secret_id()).await.unwrap()).await.unwrap();
        note(&disabled, LeakedState::Disabled);
        let deleted = client.add_secret(year()).await.unwrap();
        client.confirm(client.plan_deletion(deleted.secret_id()).await.unwrap()).await.unwrap();
        note(&deleted, LeakedState::Deleted);
        let compromised = client.add_secret(year()).await.unwrap();
        drop(client.delete_in_emergency(compromised.secret_id(), None).await.unwrap());
        note(&compromised, LeakedState::Compromised);
        let gone = platform.register("old app").await;
        let old = platform.contoso.client(gone.client_id());
        let leaked = old.add_secret(year()).await.unwrap();
        drop(old.delete_in_emergency(leaked.secret_id(), None).await.unwrap());
        old.confirm(old.plan_client_deletion().await.unwrap()).await.unwrap();
        note(&gone, LeakedState::Deleted);
        note(&leaked, LeakedState::Compromised);
        platform.clock.advance(Days::new(2));
    });
    let before = block_on(platform.registry.check()).unwrap();
    let operator = platform.registry.as_operator("ann").unwrap();
    let (verdicts, log) = logged(|| {
        let mut search = operator.find_leaked(&texts).unwrap();
        while block_on(search.next_page(1)).unwrap() {}
        assert!(search.is_done() && search.looked_at() == 2 && search.unreadable().is_empty());
        search.verdicts()
    });
    let found = verdicts.iter().map(|verdict| match verdict {
        LeakVerdict::Ours { secrets } => {
            assert_eq!((secrets.len(), &secrets[0].owner), (1, &contoso()));
            (secrets[0].client_id.clone(), secrets[0].secret, secrets[0].state)
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(found.collect::<Vec<_>>(), expected);
    assert!(!log.iter().any(|line| line.contains("WARN") || line.contains("ERROR")), "{log:#?}");
    assert!(!log.iter().any(|line| texts.iter().any(|text| line.contains(&text[8..30]))), "{log:#?}");
    block_on(async {
        for (id, secret, _) in &expected[..1] {
            assert_eq!(platform.last_used(id, *secret).await, None);
        }
        assert_eq!(platform.registry.check().await.unwrap().is_clean(), before.is_clean());
        let client = platform.contoso.client(&expected[0].0);
        assert_eq!(client.snapshot().await.unwrap().client().secrets().len(), 4, "nothing was deleted");
        let all: Vec<_> = verdicts
            .iter()
            .flat_map(|verdict| match verdict {
                LeakVerdict::Ours { secrets } => secrets.clone(),
                _ => vec![],
            })
            .collect();
        for (leaked, deleted) in operator.delete_leaked(&all).await {
            let _ = deleted.unwrap_or_else(|error| panic!("{leaked:?}: {error}"));
        }
        let mut search = operator.find_leaked(&texts).unwrap();
        while search.next_page(10).await.unwrap() {}
        assert_eq!(
            search.found().filter(|found| found.state == LeakedState::Compromised).count(),
            texts.len()
        );
    });
}

/// A text of several clients, a text with a slip, and one of nobody; up to 1,000, and twice the same. A search goes on from a place.
#[test]
fn rule_23_texts_of_several_clients_of_nobody_and_with_a_slip() {
    block_on(async {
        let platform = Platform::new();
        let mut ids = Vec::new();
        for name in ["one", "two", "three"] {
            let issued = platform.register(name).await;
            if name != "two" {
                platform.contoso.client(issued.client_id()).import_secret(imported(1)).await.unwrap();
            }
            ids.push(issued);
        }
        let operator = platform.registry.as_operator("ann").unwrap();
        let (shared, mine) = (foreign_text(1), ids[1].client_secret().expose().to_owned());
        let mut slip = mine.clone();
        slip.replace_range(10..11, if &mine[10..11] == "x" { "y" } else { "x" });
        let foreign = Seeded::new(99).client_secret();
        let texts = [&*shared, &*mine, &*slip, foreign.expose(), "hunter2", "", &*shared];
        let mut search = operator.find_leaked(texts).unwrap();
        assert!(search.place().is_none() && !search.is_done());
        while search.next_page(2).await.unwrap() {}
        assert!(!search.next_page(2).await.unwrap(), "there is no more");
        let verdicts = search.verdicts();
        let of = |verdict: &LeakVerdict| match verdict {
            LeakVerdict::Ours { secrets } => {
                secrets.iter().map(|one| one.client_id.clone()).collect::<Vec<_>>()
            }
            _ => vec![],
        };
        let mut both = vec![ids[0].client_id().clone(), ids[2].client_id().clone()];
        both.sort_unstable();
        assert_eq!((of(&verdicts[0]), of(&verdicts[6])), (both.clone(), both));
        assert_eq!(of(&verdicts[1]), [ids[1].client_id().clone()]);
        assert_eq!(verdicts[2], LeakVerdict::Mistyped);
        assert_eq!(verdicts[3..6], [LeakVerdict::NotOurs, LeakVerdict::NotOurs, LeakVerdict::NotOurs]);

        let mut first = operator.find_leaked([&*shared]).unwrap();
        first.next_page(1).await.unwrap();
        let place = first.place().unwrap().clone();
        let mut second = operator.find_leaked([&*shared]).unwrap().after(place);
        while second.next_page(1).await.unwrap() {}
        assert_eq!(second.looked_at(), 2);
        assert_eq!(first.found().count() + second.found().count(), 2);
        // One that has come to its end goes on from a place, too, and tells nothing twice.
        let mut again = second.after(first.place().unwrap().clone());
        assert!(!again.is_done() && again.found().count() == 0);
        while again.next_page(1).await.unwrap() {}
        assert_eq!((again.looked_at(), first.found().count() + again.found().count()), (2, 2));

        let many: Vec<_> = (0..1001).map(foreign_text).collect();
        assert!(operator.find_leaked(&many).is_err());
        let mut search = operator.find_leaked(&many[..1000]).unwrap();
        while search.next_page(100).await.unwrap() {}
        assert_eq!(search.verdicts().iter().filter(|verdict| verdict.is_ours()).count(), 1);
    });
}

/// A record that cannot be read is named, and the others are searched.
#[test]
fn rule_23_a_record_that_cannot_be_read_is_named() {
    block_on(async {
        let store = Hostile::default();
        let (registry, _) = crate::at_rest::world::open(store.clone(), &["2026"], 5).await;
        let contoso = registry.as_seller("contoso").unwrap();
        let good = contoso.register(details("one"), Lifetime::OneYear).await.unwrap();
        let bad = contoso.register(details("two"), Lifetime::OneYear).await.unwrap();
        let swapped = store.load(RecordId::from(good.client_id())).await.unwrap();
        store.put(bad.client_id().as_str(), swapped);
        let (other, _) = crate::at_rest::world::open(store, &["2026"], 6).await;
        let operator = other.as_operator("ann").unwrap();
        let texts = [good.client_secret().expose(), bad.client_secret().expose()];
        let mut search = operator.find_leaked(texts).unwrap();
        while search.next_page(10).await.unwrap() {}
        assert_eq!(search.unreadable().len(), 1);
        assert_eq!(search.unreadable()[0].client_id(), bad.client_id());
        assert!(search.verdicts()[0].is_ours() && !search.verdicts()[1].is_ours());
        assert_eq!(search.looked_at(), 2);
    });
}
