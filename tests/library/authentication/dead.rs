//! Deleted and compromised secrets stay dead, as far back as they are remembered (rule 10).

use client_registry::client::{ImportedSecret, Revocation};
use client_registry::secret::KeyEncoding;
use client_registry::{
    ClientSecret, EmergencyDeletion, Error, Lifetime, NewSecret, Reason, Refusal, SecretId,
};
use pollster::block_on;
use proptest::prelude::*;

use super::{lenient, one_of_each};
use crate::support::logged;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn rule_10_the_latest_deleted_and_compromised_secrets_stay_dead(
        seed: u64,
        fates in prop::collection::vec(prop_oneof![
            3 => Just((Revocation::Deleted, false)),
            2 => Just((Revocation::Deleted, true)),
            1 => Just((Revocation::Compromised, false)),
        ], 1..40),
        client_goes: bool,
    ) {
        let platform = lenient(seed);
        block_on(async {
            let keeper = platform.register("calendar app").await;
            let client = platform.contoso.client(keeper.client_id());
            let (mut secrets, mut deleted, mut compromised) = (vec![], vec![], vec![]);
            for (fate, condemned_later) in fates {
                let issued = client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
                let id = issued.secret_id();
                match fate {
                    Revocation::Deleted => {
                        let plan = client.plan_deletion(id).await.unwrap();
                        client.confirm(plan).await.unwrap();
                        bury(&mut deleted, id);
                    }
                    Revocation::Compromised => {
                        let _ = client.delete_in_emergency(id, None).await.unwrap();
                        compromised.push(id);
                    }
                }
                if condemned_later {
                    client.mark_compromised(id).await.unwrap();
                    deleted.retain(|other| *other != id);
                    compromised.push(id);
                }
                secrets.push(issued);
            }
            if client_goes {
                let plan = client.plan_client_deletion().await.unwrap();
                client.confirm(plan).await.unwrap();
                bury(&mut deleted, keeper.secret_id());
                secrets.push(keeper);
            }
            for issued in &secrets {
                let id = issued.secret_id();
                let denied = platform
                    .denied(issued.client_id().as_str(), issued.client_secret().expose())
                    .await;
                let (reason, secret) = if compromised.contains(&id) {
                    (Reason::Compromised, Some(id))
                } else if client_goes {
                    (Reason::ClientDeleted, Some(id).filter(|id| deleted.contains(id)))
                } else if deleted.contains(&id) {
                    (Reason::Deleted, Some(id))
                } else {
                    (Reason::Wrong, None)
                };
                prop_assert_eq!((denied.reason(), denied.secret_id()), (reason, secret));

                // Nor does it come back by being imported.
                if secret.is_some() {
                    let text = ClientSecret::parse(issued.client_secret().expose()).unwrap();
                    let again = ImportedSecret::new(text, issued.validity(), KeyEncoding::Utf8);
                    let refused = client.import_secret(again).await.unwrap_err();
                    let fate = match reason {
                        Reason::Compromised => Revocation::Compromised,
                        _ => Revocation::Deleted,
                    };
                    let expected = match client_goes {
                        true => Refusal::ClientDeleted,
                        false => Refusal::Remembered { secret: id, revocation: fate },
                    };
                    prop_assert!(matches!(refused, Error::Refused(refusal) if refusal == expected));
                }
            }
            Ok(())
        })?;
    }
}

/// Of the secrets that were deleted in calm the latest 16 are remembered.
fn bury(deleted: &mut Vec<SecretId>, id: SecretId) {
    deleted.push(id);
    if deleted.len() > 16 {
        deleted.remove(0);
    }
}

#[test]
fn rule_10_sixty_four_compromised_secrets_are_remembered_and_not_the_ones_before() {
    let platform = lenient(3);
    block_on(async {
        let mut latest = platform.register("calendar app").await;
        let client = platform.contoso.client(latest.client_id());
        let mut dead = vec![];
        for _ in 0..70 {
            let new = NewSecret::lasting(Lifetime::OneYear);
            let replaced = client.delete_in_emergency(latest.secret_id(), Some(new)).await;
            let EmergencyDeletion::Replaced(next) = replaced.unwrap() else { panic!("not replaced") };
            dead.push(std::mem::replace(&mut latest, next));
        }
        for (position, issued) in dead.iter().enumerate() {
            let expected = match position {
                0..6 => Reason::Wrong,
                _ => Reason::Compromised,
            };
            let reason = platform.reason(issued.client_id(), issued.client_secret().expose()).await;
            assert_eq!(reason, expected, "{position}");
        }
        platform.authenticate(latest.client_id(), latest.client_secret()).await;
    });
}

/// Presenting a compromised secret raises an alarm in the log, and nothing else does.
#[test]
fn rule_10_only_a_compromised_secret_alarms() {
    let platform = lenient(6);
    let cases = block_on(one_of_each(&platform));
    for (reason, client_id, secret) in cases {
        let (_, lines) = logged(|| block_on(platform.denied(&client_id, &secret)));
        let alarms = lines.iter().filter(|line| line.starts_with("WARN")).count();
        assert_eq!(alarms, usize::from(reason == Reason::Compromised), "{lines:?}");
        assert_eq!(lines.len(), 1, "{lines:?}");
    }
}
