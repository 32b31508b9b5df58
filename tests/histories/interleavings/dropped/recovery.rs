//! How a caller finds what a dropped command has left, and undoes it.

use client_registry::client::{ImportedSecret, Revocation};
use client_registry::secret::KeyEncoding;
use client_registry::value::Validity;
use client_registry::*;
use pollster::block_on;

use super::{Command, Handle, dropped_after, life};
use crate::interleavings::gates::Gated;
use crate::interleavings::world::{World, add_in, in_words, one_more, secret};
use crate::support::details;

/// What each command's docs say of a caller that went away: how what is left is found and undone, or done again.
#[test]
fn what_a_dropped_command_leaves_is_found_and_undone() {
    let commands: [(&str, Command, Recovery); 16] = [
        (
            "register",
            |world, _, _| {
                let seller = world.seller("contoso");
                Box::pin(async move { in_words(seller.register(details("diary"), Lifetime::OneYear).await) })
            },
            |world, _, _| {
                let seller = world.seller("contoso");
                let register = || block_on(seller.register(details("diary"), Lifetime::OneYear));
                let issued = match register() {
                    Err(Error::NameTaken { by, registered_at, last_used }) => {
                        assert_eq!(last_used, None);
                        let found = block_on(seller.client_named("diary")).unwrap().unwrap();
                        assert_eq!(
                            (found.client().id(), found.client().registered_at()),
                            (&by, registered_at)
                        );
                        let left = seller.client(&by);
                        // A way that keeps the client ID.
                        let added = block_on(left.add_secret(one_more())).unwrap();
                        delete(&left, secret(1));
                        assert!(works(world, &added));
                        let plan = block_on(left.plan_client_deletion()).unwrap();
                        block_on(left.confirm(plan)).unwrap();
                        register().unwrap()
                    }
                    answer => answer.unwrap(),
                };
                assert!(works(world, &issued));
            },
        ),
        (
            "change details",
            |_, client, _| Box::pin(async move { in_words(client.change_details(details("diary")).await) }),
            |_, client, _| {
                block_on(client.change_details(details("diary"))).unwrap();
                let found = block_on(client.snapshot()).unwrap();
                assert_eq!(*found.client().details(), details("diary"));
            },
        ),
        (
            "add",
            |_, client, _| Box::pin(async move { in_words(client.add_secret(one_more()).await) }),
            |world, client, _| {
                remove_unused_after(&client, secret(2));
                assert!(works(world, &block_on(client.add_secret(one_more())).unwrap()));
            },
        ),
        (
            "import a secret",
            |_, client, _| Box::pin(async move { in_words(client.import_secret(foreign()).await) }),
            |_, client, _| {
                let id = block_on(client.import_secret(foreign())).unwrap();
                assert_eq!(id, secret(3));
            },
        ),
        (
            "rotate",
            |_, client, _| {
                Box::pin(async move { in_words(client.rotate(Rotation::overlap(Days::new(30))).await) })
            },
            |world, client, _| {
                let rotate = || block_on(client.rotate(Rotation::overlap(Days::new(30))));
                let issued = match rotate() {
                    Err(Error::Refused(Refusal::RotationUnderway { by, last_used, .. })) => {
                        assert_eq!((by, last_used), (secret(3), None));
                        let warned = block_on(client.review()).unwrap();
                        let is_it = |found: &Finding| matches!(found, Finding::NeverUsed { secret, .. } if *secret == by);
                        assert!(warned.iter().any(is_it), "{warned:?}");
                        delete(&client, by);
                        rotate().unwrap()
                    }
                    answer => answer.unwrap(),
                };
                assert!(works(world, &issued));
            },
        ),
        (
            "promote",
            |_, client, _| Box::pin(async move { in_words(client.promote(secret(2)).await) }),
            |_, client, _| {
                block_on(client.promote(secret(2))).unwrap();
                assert_eq!(signing(&client), Some(secret(2)));
                block_on(client.promote(secret(1))).unwrap();
                assert_eq!(signing(&client), Some(secret(1)));
            },
        ),
        (
            "schedule a promotion",
            |_, client, _| {
                Box::pin(async move { in_words(client.schedule_promotion(secret(2), tomorrow()).await) })
            },
            |_, client, _| {
                block_on(client.schedule_promotion(secret(2), tomorrow())).unwrap();
                block_on(client.withdraw_promotion(secret(2))).unwrap();
                assert!(block_on(client.snapshot()).unwrap().client().promotions().is_empty());
            },
        ),
        (
            "withdraw a promotion",
            |_, client, _| {
                block_on(client.schedule_promotion(secret(2), tomorrow())).unwrap();
                Box::pin(async move { in_words(client.withdraw_promotion(secret(2)).await) })
            },
            |_, client, _| {
                match block_on(client.withdraw_promotion(secret(2))) {
                    Ok(_) | Err(Error::Refused(Refusal::NothingScheduled { .. })) => {}
                    Err(error) => panic!("{error}"),
                }
                assert!(block_on(client.snapshot()).unwrap().client().promotions().is_empty());
                block_on(client.schedule_promotion(secret(2), tomorrow())).unwrap();
            },
        ),
        (
            "enable",
            |_, client, _| {
                let plan = block_on(client.plan_disabling(secret(2))).unwrap();
                block_on(client.confirm(plan)).unwrap();
                Box::pin(async move { in_words(client.enable(secret(2)).await) })
            },
            |_, client, _| {
                block_on(client.enable(secret(2))).unwrap();
                assert_eq!(valid(&client), [secret(1), secret(2)]);
                let plan = block_on(client.plan_disabling(secret(2))).unwrap();
                block_on(client.confirm(plan)).unwrap();
            },
        ),
        (
            "delete",
            |_, client, _| {
                let plan = block_on(client.plan_deletion(secret(1))).unwrap();
                Box::pin(async move { in_words(client.confirm(plan).await) })
            },
            |_, client, _| {
                match block_on(client.plan_deletion(secret(1))) {
                    Ok(plan) => drop(block_on(client.confirm(plan)).unwrap()),
                    Err(Error::Refused(Refusal::UnknownSecret { secret: id })) => assert_eq!(id, secret(1)),
                    Err(error) => panic!("{error}"),
                }
                assert_eq!(valid(&client), [secret(2)]);
            },
        ),
        (
            "disable",
            |_, client, _| {
                let plan = block_on(client.plan_disabling(secret(1))).unwrap();
                Box::pin(async move { in_words(client.confirm(plan).await) })
            },
            |_, client, _| {
                let plan = block_on(client.plan_disabling(secret(1))).unwrap();
                block_on(client.confirm(plan)).unwrap();
                assert_eq!(valid(&client), [secret(2)]);
                block_on(client.enable(secret(1))).unwrap();
                assert_eq!(valid(&client), [secret(1), secret(2)]);
            },
        ),
        (
            "delete in emergency",
            |_, client, _| {
                let replacement = Some(one_more());
                Box::pin(async move { in_words(client.delete_in_emergency(secret(1), replacement).await) })
            },
            |_, client, _| {
                let again = block_on(client.delete_in_emergency(secret(1), None)).unwrap();
                assert!(matches!(again, EmergencyDeletion::Deleted { .. }));
                remove_unused_after(&client, secret(2));
                assert_eq!(valid(&client), [secret(2)]);
            },
        ),
        (
            "mark compromised",
            |_, client, _| {
                delete(&client, secret(1));
                Box::pin(async move { in_words(client.mark_compromised(secret(1)).await) })
            },
            |_, client, _| {
                block_on(client.mark_compromised(secret(1))).unwrap();
                let found = block_on(client.snapshot()).unwrap();
                assert_eq!(
                    found.client().remembered().collect::<Vec<_>>(),
                    [(secret(1), Revocation::Compromised)]
                );
            },
        ),
        (
            "associate",
            |_, client, _| Box::pin(async move { in_words(client.associate(&add_in("add-in-2")).await) }),
            |_, client, _| {
                block_on(client.associate(&add_in("add-in-2"))).unwrap();
                block_on(client.dissociate(add_in("add-in-2").id())).unwrap();
                assert_eq!(block_on(client.snapshot()).unwrap().client().add_ins().len(), 1);
            },
        ),
        (
            "move an add-in",
            |_, from, to| {
                Box::pin(async move { in_words(from.move_add_in(add_in("add-in-1").id(), to.id()).await) })
            },
            |world, from, to| {
                let (add_in, holder) = (add_in("add-in-1"), || {
                    let found = block_on(world.operator().client_of(add_in("add-in-1").id())).unwrap();
                    found.map(|found| found.client().id().clone())
                });
                block_on(from.move_add_in(add_in.id(), to.id())).unwrap();
                assert_eq!(holder().as_ref(), Some(to.id()));
                block_on(to.move_add_in(add_in.id(), from.id())).unwrap();
                assert_eq!(holder().as_ref(), Some(from.id()));
            },
        ),
        (
            "delete the client",
            |_, client, _| {
                let plan = block_on(client.plan_client_deletion()).unwrap();
                Box::pin(async move { in_words(client.confirm(plan).await) })
            },
            |_, client, _| {
                match block_on(client.plan_client_deletion()) {
                    Ok(plan) => drop(block_on(client.confirm(plan)).unwrap()),
                    Err(Error::Refused(Refusal::ClientDeleted)) => {}
                    Err(error) => panic!("{error}"),
                }
                assert!(matches!(block_on(client.snapshot()), Err(Error::Refused(Refusal::ClientDeleted))));
            },
        ),
    ];
    for (name, command, recovery) in commands.into_iter().chain(life::commands()) {
        let mut drops = 0;
        for steps in 0.. {
            let (world, [client, other], answer) = dropped_after(command, steps);
            if answer.is_some() {
                break;
            }
            drops += 1;
            recovery(&world, client, other);
            world.audit().unwrap();
        }
        assert!(drops > 1, "{name} has no gate");
        println!("{name}: found and undone after each of {drops} drops");
    }
}

/// How what a command left behind is found and undone, given the client that it was about and another one.
pub(super) type Recovery = fn(&World, Handle, Handle);

fn works(world: &World, issued: &Issued) -> bool {
    let (id, secret) = (issued.client_id().as_str(), issued.client_secret().expose());
    block_on(world.registry.authenticate(id, secret)).is_ok()
}

pub(super) fn delete(client: &ClientHandle<Gated>, id: SecretId) {
    let plan = block_on(client.plan_deletion(id)).unwrap();
    block_on(client.confirm(plan)).unwrap();
}

/// Deletes what was issued after a secret and was never used.
fn remove_unused_after(client: &ClientHandle<Gated>, last_known: SecretId) {
    let found = block_on(client.snapshot()).unwrap();
    let unused = found.client().secrets().map(Secret::id).filter(|id| *id > last_known);
    let unused: Vec<_> = unused.filter(|id| found.last_used(*id).is_none()).collect();
    assert!(unused.len() <= 1, "a command leaves one secret: {unused:?}");
    unused.into_iter().for_each(|id| delete(client, id));
}

pub(super) fn valid(client: &ClientHandle<Gated>) -> Vec<SecretId> {
    let found = block_on(client.snapshot()).unwrap();
    found.client().valid_at(found.at()).map(Secret::id).collect()
}

fn signing(client: &ClientHandle<Gated>) -> Option<SecretId> {
    block_on(client.snapshot()).unwrap().signing().secret()
}

fn tomorrow() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

fn foreign() -> ImportedSecret {
    let validity = Validity::new("2026-03-01T09:00:00Z".parse::<Timestamp>().unwrap(), None).unwrap();
    let text = ClientSecret::parse("kX3v-Qm7z.Tb9w_Rj2y+00000001-abcdef").unwrap();
    ImportedSecret::new(text, validity, KeyEncoding::Utf8)
}
