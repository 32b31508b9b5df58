//! Commands over the life of a client that are dropped: rotations that are called off or closed, ends that are moved,
//! suspensions, transfers, attributes, what leaked.

use client_registry::client::{ImportedSecret, Revocation};
use client_registry::registry::ConfirmError;
use client_registry::secret::KeyEncoding;
use client_registry::value::Attributes;
use client_registry::*;
use pollster::block_on;

use super::recovery::{Recovery, delete, valid};
use super::{Command, Handle};
use crate::interleavings::world::{in_words, one_more, secret};

/// Each with how what it leaves is found and undone, or done again.
pub(super) fn commands() -> Vec<(&'static str, Command, Recovery)> {
    vec![
        (
            "call off a rotation",
            |_, client, _| {
                drop(block_on(client.rotate(month())).unwrap());
                Box::pin(async move { in_words(client.call_off(secret(3)).await) })
            },
            |_, client, _| {
                match block_on(client.call_off(secret(3))) {
                    Ok(outcome) => assert_eq!(outcome, Outcome::Changed),
                    Err(ConfirmError::Failed(Error::Refused(Refusal::UnknownSecret { .. }))) => {}
                    Err(error) => panic!("{error:?}"),
                }
                assert_eq!(valid(&client), [secret(1), secret(2)]);
                drop(block_on(client.rotate(month())).unwrap());
            },
        ),
        (
            "close a rotation early",
            |_, client, _| {
                assert_eq!(block_on(client.import_secret(old())).unwrap(), secret(3));
                drop(block_on(client.rotate(month().replacing([secret(3)]))).unwrap());
                Box::pin(async move { in_words(client.close_early(secret(4)).await) })
            },
            |_, client, _| {
                match block_on(client.close_early(secret(4))) {
                    Ok(outcome) => assert_eq!(outcome, Outcome::Changed),
                    Err(ConfirmError::Failed(Error::Refused(Refusal::NotUnderway { .. }))) => {}
                    Err(error) => panic!("{error:?}"),
                }
                assert_eq!(valid(&client), [secret(1), secret(2), secret(4)]);
            },
        ),
        (
            "move an end",
            |_, client, _| {
                let soon = in_days(&client, 3);
                Box::pin(async move { in_words(client.move_end(secret(1), soon).await) })
            },
            |_, client, _| {
                let soon = in_days(&client, 3);
                block_on(client.move_end(secret(1), soon)).unwrap();
                assert_eq!(end(&client), Some(soon));
                let later = in_days(&client, 300);
                block_on(client.move_end(secret(1), later)).unwrap();
                assert_eq!(end(&client), Some(later));
            },
        ),
        (
            "suspend",
            |_, client, _| Box::pin(async move { in_words(client.suspend().await) }),
            |_, client, _| {
                block_on(client.suspend()).unwrap();
                assert!(is_suspended(&client));
                block_on(client.resume()).unwrap();
                assert!(!is_suspended(&client));
            },
        ),
        (
            "resume",
            |_, client, _| {
                block_on(client.suspend()).unwrap();
                Box::pin(async move { in_words(client.resume().await) })
            },
            |_, client, _| {
                block_on(client.resume()).unwrap();
                assert!(!is_suspended(&client));
                block_on(client.suspend()).unwrap();
                assert!(is_suspended(&client));
            },
        ),
        (
            "transfer",
            |world, client, _| {
                let operator = world.operator();
                Box::pin(async move { in_words(operator.client(client.id()).transfer(&fabrikam()).await) })
            },
            |world, client, _| {
                let (operator, contoso) = (world.operator(), SellerId::parse("contoso").unwrap());
                let is_seen = || block_on(client.snapshot()).is_ok();
                block_on(operator.client(client.id()).transfer(&fabrikam())).unwrap();
                assert!(!is_seen());
                block_on(operator.client(client.id()).transfer(&contoso)).unwrap();
                assert!(is_seen());
            },
        ),
        (
            "change attributes",
            |_, client, _| Box::pin(async move { in_words(client.change_attributes(scopes()).await) }),
            |_, client, _| {
                block_on(client.change_attributes(scopes())).unwrap();
                assert_eq!(*block_on(client.snapshot()).unwrap().client().attributes(), scopes());
                block_on(client.change_attributes(Attributes::default())).unwrap();
                assert!(block_on(client.snapshot()).unwrap().client().attributes().is_empty());
            },
        ),
        (
            "delete what leaked",
            |world, client, _| {
                let operator = world.operator();
                let leaked = block_on(client.add_secret(one_more())).unwrap();
                Box::pin(async move {
                    let mut search = operator.find_leaked([leaked.client_secret().expose()]).unwrap();
                    while search.next_page(10).await.unwrap() {}
                    let deleted = operator.delete_leaked(search.found()).await;
                    deleted.into_iter().map(|(_, deleted)| in_words(deleted)).collect()
                })
            },
            |_, client, _| {
                let again = block_on(client.delete_in_emergency(secret(3), None)).unwrap();
                assert!(matches!(again, EmergencyDeletion::Deleted { .. }));
                let found = block_on(client.snapshot()).unwrap();
                let remembered: Vec<_> = found.client().remembered().collect();
                assert_eq!(remembered, [(secret(3), Revocation::Compromised)]);
                delete(&client, secret(2));
            },
        ),
    ]
}

fn month() -> Rotation {
    Rotation::overlap(Days::new(30))
}

/// A secret that began some time ago, so that it can end now.
fn old() -> ImportedSecret {
    let from: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let text = ClientSecret::parse("kX3v-Qm7z.Tb9w_Rj2y+00000001-abcdef").unwrap();
    ImportedSecret::new(text, Lifetime::OneYear.starting(from).unwrap(), KeyEncoding::Utf8)
}

fn in_days(client: &Handle, days: u32) -> Timestamp {
    block_on(client.snapshot()).unwrap().at().saturating_add(Days::new(days).into())
}

fn end(client: &Handle) -> Option<Timestamp> {
    let found = block_on(client.snapshot()).unwrap();
    found.client().secret(secret(1)).and_then(|first| first.validity().until())
}

fn is_suspended(client: &Handle) -> bool {
    block_on(client.snapshot()).unwrap().client().suspension().is_some()
}

fn scopes() -> Attributes {
    Attributes::new([("scopes", "calendar.read")]).unwrap()
}

fn fabrikam() -> SellerId {
    SellerId::parse("fabrikam").unwrap()
}
