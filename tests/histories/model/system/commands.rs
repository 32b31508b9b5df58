//! What each command of a history asks of the registry.

use std::time::Duration;

use chrono::DateTime;
use client_registry::client::{ImportedClient, ImportedSecret};
use client_registry::event::EventHash;
use client_registry::secret::KeyEncoding;
use client_registry::value::{Attributes, Revision, Validity};
use client_registry::*;

use super::access::{MESSAGE, verified};
use super::refusals::{outcome, refused, why};
use super::{System, add_in, attributes, availability, details, instant, label_of, secret_id, seller_id};
use crate::model::answer::Answer;
use crate::model::command::Command;
use crate::model::home::Home;
use crate::model::naive::{Actor, Attached, Import, New, PlanKind, Rotate, Signs, Text};
use crate::support::block_on;

impl<S: Home> System<S> {
    pub(crate) fn obey(&mut self, command: &Command) -> Answer {
        match command {
            Command::Register { actor, seller, name, china, new } => {
                let seller = match actor {
                    Actor::Operator => self.operator().seller(seller_id(*seller)).unwrap(),
                    Actor::Seller(_) => self.registry.as_seller(seller_id(*seller)).unwrap(),
                };
                let issued = block_on(seller.register_with(
                    details(*name),
                    availability(*china),
                    self.new_secret(new),
                ));
                if let Ok(issued) = &issued {
                    self.know(issued.client_id().clone());
                }
                self.issued(issued)
            }
            Command::ChangeDetails { actor, client, name } => {
                outcome(block_on(self.handle(*actor, *client).change_details(details(*name))))
            }
            Command::Add { actor, client, new } => {
                let issued = block_on(self.handle(*actor, *client).add_secret(self.new_secret(new)));
                self.issued(issued)
            }
            Command::Rotate { actor, client, rotate } => {
                let issued = block_on(self.handle(*actor, *client).rotate(rotation(rotate)));
                self.issued(issued)
            }
            Command::Plan { actor, client, kind } => match self.plan(*actor, *client, *kind) {
                Ok((plan, planned)) => {
                    self.plans[*client] = Some(plan);
                    Answer::Planned(planned)
                }
                Err(error) => refused(&error),
            },
            Command::ConfirmLatest { actor, client } => match self.plans[*client].take() {
                Some(plan) => self.confirm(*actor, *client, plan),
                None => Answer::NoPlan,
            },
            Command::PlanAndConfirm { actor, client, kind } => self.plan_and_confirm(*actor, *client, *kind),
            Command::AtOnce { actor, client, kind } => self.at_once(*actor, *client, *kind),
            Command::CleanUp { actor, client, secrets } => {
                let deletions = secrets.iter().map(|id| PlanKind::Deletion(*id));
                Answer::Several(deletions.map(|kind| self.plan_and_confirm(*actor, *client, kind)).collect())
            }
            Command::Enable { actor, client, secret } => {
                outcome(block_on(self.handle(*actor, *client).enable(secret_id(*secret))))
            }
            Command::Promote { actor, client, secret } => {
                outcome(block_on(self.handle(*actor, *client).promote(secret_id(*secret))))
            }
            Command::Schedule { actor, client, secret, at } => {
                let handle = self.handle(*actor, *client);
                outcome(block_on(handle.schedule_promotion(secret_id(*secret), instant(*at))))
            }
            Command::Withdraw { actor, client, secret } => {
                outcome(block_on(self.handle(*actor, *client).withdraw_promotion(secret_id(*secret))))
            }
            Command::Emergency { actor, client, secret, replacement } => {
                let replacement = replacement.as_ref().map(|new| self.new_secret(new));
                let handle = self.handle(*actor, *client);
                match block_on(handle.delete_in_emergency(secret_id(*secret), replacement)) {
                    Ok(EmergencyDeletion::Deleted { .. }) => Answer::Deleted,
                    Ok(EmergencyDeletion::Replaced(issued)) => {
                        self.texts.push(issued.client_secret().expose().to_owned());
                        Answer::Replaced(issued.secret_id().number())
                    }
                    Ok(EmergencyDeletion::NotReplaced { why: Error::Refused(refusal), .. }) => {
                        Answer::NotReplaced(why(&refusal))
                    }
                    Ok(other) => panic!("{other:?}"),
                    Err(error) => refused(&error),
                }
            }
            Command::MarkCompromised { actor, client, secret } => {
                outcome(block_on(self.handle(*actor, *client).mark_compromised(secret_id(*secret))))
            }
            Command::ImportSecret { actor, client, import } => {
                match block_on(self.handle(*actor, *client).import_secret(self.imported(import))) {
                    Ok(id) => Answer::Secret(id.number()),
                    Err(error) => refused(&error),
                }
            }
            Command::ImportClient { id, seller, name, china, imports, add_ins } => {
                let id = ClientId::parse(&format!("imported-{id}")).unwrap();
                let owner = SellerId::parse(seller_id(*seller)).unwrap();
                let mut client = ImportedClient::new(id.clone(), owner, details(*name), availability(*china));
                for import in imports {
                    client = client.with_secret(self.imported(import));
                }
                for number in add_ins {
                    client = client.with_add_in(add_in(*number));
                }
                let answer = outcome(block_on(self.operator().import(client)));
                if answer == Answer::Changed {
                    self.know(id);
                }
                answer
            }
            Command::Associate { actor, client, add_in: number } => {
                outcome(block_on(self.handle(*actor, *client).associate(&add_in(*number))))
            }
            Command::Dissociate { actor, client, add_in: number } => {
                outcome(block_on(self.handle(*actor, *client).dissociate(add_in(*number).id())))
            }
            Command::Move { actor, client, to, add_in: number } => {
                let handle = self.handle(*actor, *client);
                outcome(block_on(handle.move_add_in(add_in(*number).id(), &self.ids[*to])))
            }
            Command::Suspend { actor, client } => outcome(block_on(self.handle(*actor, *client).suspend())),
            Command::Resume { actor, client } => outcome(block_on(self.handle(*actor, *client).resume())),
            Command::Transfer { client, to } => {
                let to = SellerId::parse(seller_id(*to)).unwrap();
                outcome(block_on(self.operator().client(&self.ids[*client]).transfer(&to)))
            }
            Command::Attach { actor, client, attached } => {
                let attributes = match *attached {
                    Attached::Set(number) => attributes(number),
                    Attached::ClientSecret(text) => {
                        Attributes::new([("note", self.text(Text::Generated(text)))]).unwrap()
                    }
                };
                outcome(block_on(self.handle(*actor, *client).change_attributes(attributes)))
            }
            Command::IsAlive { client, secret } => Answer::Alive(
                block_on(self.registry.is_alive(&self.ids[*client], secret_id(*secret))).unwrap(),
            ),
            Command::FindLeaked { limit } => self.find_leaked(*limit),
            Command::DeleteLeaked { text } => self.delete_leaked(*text),
            Command::Authenticate { client, present } => self.authenticate(*client, *present),
            Command::PresentAll { client } => self.present_all(*client),
            Command::Sign { client } => {
                let signature = block_on(self.registry.sign(&self.ids[*client], MESSAGE));
                self.signed(signature.map(|signature| vec![signature]))
            }
            Command::SignAll { client } => {
                let signatures = block_on(self.registry.sign_all(&self.ids[*client], MESSAGE));
                self.signed(signatures)
            }
            Command::Verify { signature, forged } => {
                let signature = self.presented(*signature, *forged);
                verified(block_on(self.registry.verify(&signature, MESSAGE)))
            }
            Command::VerifyAny { signature, forged } => {
                let signature = self.presented(*signature, *forged);
                verified(block_on(self.registry.verify_any(signature.client_id(), signature.mac(), MESSAGE)))
            }
            Command::Named { seller, name } => self.named(*seller, *name),
            Command::ClientOf { actor, add_in } => self.client_of(*actor, *add_in),
            Command::Page { actor, limit } => self.pages(*actor, *limit),
            Command::History { actor, client } => {
                match block_on(self.handle(*actor, *client).trail(Revision::ZERO, usize::MAX)) {
                    Ok(events) => Answer::Commits(events.last().map_or(0, |event| event.revision().number())),
                    Err(error) => refused(&error),
                }
            }
            Command::SetClock { to } => {
                // As an application does from time to time.
                block_on(self.registry.flush_last_uses()).unwrap();
                self.clock.set_wall(DateTime::from_timestamp_millis(*to).unwrap());
                Answer::Changed
            }
        }
    }

    pub(super) fn handle(&self, actor: Actor, client: usize) -> ClientHandle<S> {
        match actor {
            Actor::Operator => self.operator().client(&self.ids[client]),
            Actor::Seller(seller) => {
                self.registry.as_seller(seller_id(seller)).unwrap().client(&self.ids[client])
            }
        }
    }

    fn know(&mut self, id: ClientId) {
        self.ids.push(id);
        self.plans.push(None);
        self.checked.push((Revision::ZERO, EventHash::START));
    }

    fn new_secret(&self, new: &New) -> NewSecret {
        let mut secret = NewSecret::lasting(lifetime(new.lifetime)).for_purpose(purpose(new.signs));
        if let Some(starts) = new.starts {
            secret = secret.starting(instant(starts));
        }
        match new.label {
            Some(label) => secret.labelled(label_of(label)),
            None => secret,
        }
    }

    fn imported(&self, import: &Import) -> ImportedSecret {
        let validity = Validity::new(instant(import.from), import.until.map(instant)).unwrap();
        let encoding = if import.base64 { KeyEncoding::Base64 } else { KeyEncoding::Utf8 };
        let text = ClientSecret::parse(&self.text(import.text)).unwrap();
        let mut secret = ImportedSecret::new(text, validity, encoding).for_purpose(purpose(import.signs));
        if let Some(label) = import.label {
            secret = secret.labelled(label_of(label));
        }
        if import.signs_today { secret.signing_today() } else { secret }
    }

    fn issued(&mut self, issued: Result<Issued, Error>) -> Answer {
        match issued {
            Ok(issued) => {
                self.texts.push(issued.client_secret().expose().to_owned());
                Answer::Issued(issued.secret_id().number())
            }
            Err(error) => refused(&error),
        }
    }
}

fn rotation(rotate: &Rotate) -> Rotation {
    let overlap = match rotate.overlap {
        i64::MAX => Duration::MAX,
        millis => Duration::from_millis(u64::try_from(millis).unwrap()),
    };
    let mut rotation =
        Rotation::overlap(overlap).lasting(lifetime(rotate.lifetime)).for_purpose(purpose(rotate.signs));
    if let Some(replaces) = &rotate.replaces {
        rotation = rotation.replacing(replaces.iter().map(|id| secret_id(*id)));
    }
    match rotate.when {
        Signs::Now => rotation.signing_now(),
        Signs::At(at) => rotation.signing_at(instant(at)),
        Signs::WhenReplacedHaveEnded => rotation,
    }
}

fn lifetime(number: u8) -> Lifetime {
    match number {
        0 => Lifetime::OneYear,
        1 => Lifetime::TwoYears,
        2 => Lifetime::ThreeYears,
        3 => Lifetime::Days(Days::new(1)),
        4 => Lifetime::Days(Days::new(3)),
        5 => Lifetime::Days(Days::new(10)),
        6 => Lifetime::Days(Days::new(40)),
        7 => Lifetime::Days(Days::new(0)),
        8 => Lifetime::Unlimited,
        _ => Lifetime::Days(Days::new(1200)),
    }
}

fn purpose(signs: bool) -> Purpose {
    if signs { Purpose::SigningAndPassword } else { Purpose::PasswordOnly }
}
