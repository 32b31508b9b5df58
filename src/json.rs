//! The JSON of everything that has one: its shape, and what a reader may rely on. This module is documentation alone.
//!
//! Front ends, reports and audits read what this crate writes with `serde`. The examples below are files of the tests, which
//! compare them byte for byte with what is written.
//!
//! What a store keeps has forms of its own, which this page does not describe: sealed records, and the
//! [texts of events](crate::event::EventText).
//!
//! # Conventions
//!
//! - Names are in snake case.
//! - An enum without data is a string. Each variant of an enum with data is an object: `type` first, then the members of the
//!   variant.
//! - An optional member is always written, and is `null` if there is nothing. A list is always written, and may be empty.
//! - An instant is RFC 3339 in UTC with three decimals. A duration is a whole number of seconds, and the name of its member ends
//!   in `_secs`; where days of 24 hours are meant, the member is `days`.
//! - IDs are strings, except the ID of a secret, which is a number, and the ID of a commit, which only stores see. A revision is a
//!   number.
//! - A report for people has `message`, in plain English, and `code`, a stable word for programs. Findings also have `severity`.
//!   Where there is a `type`, `code` repeats it, so that a front end can show every report in the same way.
//! - No JSON holds a client secret, or anything that one could be computed from. A hint is four characters of a generated one.
//!
//! # What may change
//!
//! A minor version may add members to an object, and variants to an enum: a new `type`, code or word. **A reader has to ignore members
//! that it does not know, and to go on when it meets a `type`, a code or a word that it does not know.** The text of a `message` may
//! change in any version.
//!
//! Only a major version renames, removes or reorders members, changes what one means, or writes in another form what was written
//! before. Versions are compared as Cargo does: before 1.0, 0.2 is the next major version after 0.1.
//!
//! # What is read
//!
//! What comes in is checked like any other input: a text is parsed, an empty validity is refused, and an unknown member is
//! refused, since a misspelt one must not mean the same as none. A list is never read in place of an object. No error repeats what it
//! found, which may be a client secret.
//!
//! So an older version of this crate refuses, for instance, a plan with a member that only a newer one knows. What
//! [stores keep](#for-authors-of-stores) may have members that are not known.
//!
//! An optional member that is left out counts as `null`, with two exceptions. `until` of a [`Validity`](crate::value::Validity) is
//! required, so that no secret is without an end by mistake. A member of a [`Policy`](crate::Policy) that is left out has its
//! default.
//!
//! These types can be read: all [single values](#single-values), [`Actor`](crate::value::Actor), [`AddIn`](crate::AddIn),
//! [`Attributes`](crate::value::Attributes), [`Availability`](crate::Availability), [`ClientDetails`](crate::ClientDetails), [`Ending`](crate::store::Ending),
//! [`Event`](crate::Event) with [`Fact`](crate::event::Fact) and [`Handover`](crate::event::Handover),
//! [`KeyEncoding`](crate::secret::KeyEncoding), [`Lifetime`](crate::Lifetime), [`Origin`](crate::secret::Origin),
//! [`Plan`](crate::Plan) with everything in it, [`Policy`](crate::Policy), [`Purpose`](crate::Purpose),
//! [`Validity`](crate::value::Validity), and what [passes through the store contract](#for-authors-of-stores). All others are only
//! written.
//!
//! # Clients
//!
//! A [`Client`](crate::client::Client) is shown as it is at an instant, `at`, since the states of its secrets and the signing secret
//! depend on it. Two types are written in this way: [`Snapshot`](crate::Snapshot), which the registry returns, and
//! [`ClientView`](crate::review::ClientView), which [`Client::view`](crate::client::Client::view) returns. A secret has the members of
//! [`Secret`](crate::Secret), then `state`, `signs` and `last_used`. `remembered` names deleted secrets that must not come back (rule 10).
//!
//! ```json
#![doc = include_str!("../tests/data/json/client.json")]
//! ```
//!
//! [`ClientDetails`](crate::ClientDetails), [`Validity`](crate::value::Validity), [`Promotion`](crate::client::Promotion),
//! [`Signing`](crate::client::Signing) and [`Finding`](crate::Finding) are written alone as they are written here.
//!
//! [`Attributes`](crate::value::Attributes) are an object of strings (rule 24). `suspension` is `null`, or the
//! [`Suspension`](crate::client::Suspension) of a client that is suspended (rule 20):
//!
//! ```json
#![doc = include_str!("../tests/data/json/suspension.json")]
//! ```
//!
//! ## Secrets
//!
//! A [`Secret`](crate::Secret) alone has no state. `hint` is `null` for an imported one, and `replaced_by` names the secret that a rotation
//! replaced it with.
//!
//! ```json
#![doc = include_str!("../tests/data/json/secrets.json")]
//! ```
//!
//! ## Who signs
//!
//! [`Signing`](crate::client::Signing): the signing secret, and why it signs (rule 6).
//!
//! ```json
#![doc = include_str!("../tests/data/json/signing.json")]
//! ```
//!
//! [`Promotion`](crate::client::Promotion): from `at` on, the secret signs (rule 7).
//!
//! ```json
#![doc = include_str!("../tests/data/json/promotions.json")]
//! ```
//!
//! [`Timeline`](crate::client::Timeline): who signs and which passwords work, in [`Span`](crate::client::Span)s that follow one another.
//! The last one has no end.
//!
//! ```json
#![doc = include_str!("../tests/data/json/timeline.json")]
//! ```
//!
//! # Plans
//!
//! A [`Plan`](crate::Plan) goes to a browser and comes back to be confirmed. Nothing in it is believed (rule 9). `consequences` names its
//! command in `type`: [`SecretDeletion`](crate::client::SecretDeletion), [`SecretDisabling`](crate::client::SecretDisabling),
//! [`ClientDeletion`](crate::client::ClientDeletion), [`CallingOff`](crate::client::CallingOff),
//! [`ClosingEarly`](crate::client::ClosingEarly) or [`EndMove`](crate::client::EndMove). `last_uses` has a
//! [`SecretUse`](crate::client::SecretUse) for each secret of the client that was used. `last_used` and `use_ahead` are what [`Plan::last_used`](crate::Plan::last_used) and
//! [`Plan::use_ahead`](crate::Plan::use_ahead) return; in a plan, an imported secret counts as used at its import. If a
//! node of an older version refuses a plan that a newer one made, make the plan anew.
//!
//! ```json
#![doc = include_str!("../tests/data/json/plan_secret_deletion.json")]
//! ```
//!
//! ```json
#![doc = include_str!("../tests/data/json/plan_secret_disabling.json")]
//! ```
//!
//! ```json
#![doc = include_str!("../tests/data/json/plan_client_deletion.json")]
//! ```
//!
//! ```json
#![doc = include_str!("../tests/data/json/plan_calling_off.json")]
//! ```
//!
//! ```json
#![doc = include_str!("../tests/data/json/plan_closing_early.json")]
//! ```
//!
//! ```json
#![doc = include_str!("../tests/data/json/plan_end_move.json")]
//! ```
//!
//! Every [`Obstacle`](crate::client::Obstacle). `code` and `message` may be left out of a plan that comes back.
//!
//! ```json
#![doc = include_str!("../tests/data/json/obstacles.json")]
//! ```
//!
//! # Reports
//!
//! Every [`Finding`](crate::Finding) of a review. The [`Severity`](crate::review::Severity) of each is fixed, except for `ends_soon`: it
//! is `info` if there is a `successor`, and `warning` if there is none.
//!
//! ```json
#![doc = include_str!("../tests/data/json/findings.json")]
//! ```
//!
//! A [`Page`](crate::registry::Page) of [`Expiry`](crate::review::Expiry)s, as a seller gets it. `next` is the place to give to the call
//! for the next page: a [`ClientId`](crate::ClientId) here, or `null` at the end of the list.
//!
//! ```json
#![doc = include_str!("../tests/data/json/expiries.json")]
//! ```
//!
//! The same page as an operator gets it: `next` is an [`Ending`](crate::store::Ending). `unreadable` names the clients that cannot be
//! shown ([`Unreadable`](crate::registry::Unreadable)); the `code` of each is a [`StoreErrorKind`](crate::store::StoreErrorKind). Pages of
//! [notices](crate::review::Notice) and of [snapshots](crate::Snapshot) have the same members.
//!
//! ```json
#![doc = include_str!("../tests/data/json/page.json")]
//! ```
//!
//! A [`Notice`](crate::review::Notice) that is due:
//!
//! ```json
#![doc = include_str!("../tests/data/json/notice.json")]
//! ```
//!
//! Each [`LeakVerdict`](crate::registry::LeakVerdict) of a search for leaked texts, in the order of the texts (rule 23). One that is
//! `ours` names each [`LeakedSecret`](crate::client::LeakedSecret) that it is.
//!
//! ```json
#![doc = include_str!("../tests/data/json/leak_verdicts.json")]
//! ```
//!
//! # The add-in's side
//!
//! A [`RingState`](crate::ring::RingState) with a [`SlotState`](crate::ring::SlotState) for each client secret. `secondary` is `null` if
//! there is none.
//!
//! ```json
#![doc = include_str!("../tests/data/json/ring_state.json")]
//! ```
//!
//! # Events
//!
//! An [`Event`](crate::Event) of the trail. `signing` is a [`Handover`](crate::event::Handover) if the event changed which secret signs,
//! and `null` otherwise. `previous` is the hash of the client's event before. A trail is verified by the [texts](crate::Event::text)
//! of its events, not by this JSON.
//!
//! ```json
#![doc = include_str!("../tests/data/json/event.json")]
//! ```
//!
//! Every [`Fact`](crate::event::Fact):
//!
//! ```json
#![doc = include_str!("../tests/data/json/facts.json")]
//! ```
//!
//! Every [`Actor`](crate::value::Actor):
//!
//! ```json
#![doc = include_str!("../tests/data/json/actors.json")]
//! ```
//!
//! # Tokens
//!
//! A JSON Web Token has the header and the claims that [`jwt`](crate::jwt) shows.
//!
//! # What goes in
//!
//! Every [`Lifetime`](crate::Lifetime):
//!
//! ```json
#![doc = include_str!("../tests/data/json/lifetimes.json")]
//! ```
//!
//! A [`Policy`](crate::Policy), as it may stand in a configuration file:
//!
//! ```json
#![doc = include_str!("../tests/data/json/policy.json")]
//! ```
//!
//! An [`AddIn`](crate::AddIn):
//!
//! ```json
#![doc = include_str!("../tests/data/json/add_in.json")]
//! ```
//!
//! Every [`Origin`](crate::secret::Origin) of a secret:
//!
//! ```json
#![doc = include_str!("../tests/data/json/origins.json")]
//! ```
//!
//! # Words
//!
//! Every word of the enums without data: [`Availability`](crate::Availability), [`KeyEncoding`](crate::secret::KeyEncoding),
//! [`KeyState`](crate::record::KeyState), [`LeakedState`](crate::client::LeakedState), [`Purpose`](crate::Purpose),
//! [`Revocation`](crate::client::Revocation), [`SecretState`](crate::SecretState), [`Severity`](crate::review::Severity),
//! [`Slot`](crate::ring::Slot), [`StoreErrorKind`](crate::store::StoreErrorKind).
//!
//! ```json
#![doc = include_str!("../tests/data/json/words.json")]
//! ```
//!
//! # Single values
//!
//! Values that are one text or one number, each with an example: [`AddInId`](crate::AddInId),
//! [`AppDomain`](crate::value::AppDomain), [`ClientId`](crate::ClientId), [`Cursor`](crate::store::Cursor), [`Days`](crate::Days),
//! [`EventHash`](crate::event::EventHash), [`FriendlyName`](crate::value::FriendlyName), [`Hint`](crate::secret::Hint),
//! [`KeyId`](crate::value::KeyId), [`Label`](crate::value::Label), [`NameKey`](crate::value::NameKey),
//! [`OperatorId`](crate::value::OperatorId), [`RedirectUrl`](crate::value::RedirectUrl), [`Revision`](crate::value::Revision),
//! [`SecretId`](crate::SecretId), [`SellerId`](crate::SellerId), [`Signature`](crate::Signature), [`Timestamp`](crate::Timestamp).
//!
//! ```json
#![doc = include_str!("../tests/data/json/values.json")]
//! ```
//!
//! With the feature `oauth`, `ClientInformation` is a client in the words of RFC 7591.
//!
//! # Errors
//!
//! An error is written as its [`ProblemDetails`](crate::problem::ProblemDetails) (RFC 9457), which say to the outside what the outside may
//! know. `type` is `about:blank` unless the service states an address for its codes. These members are those of the RFC, and `code`:
//!
//! ```json
#![doc = include_str!("../tests/data/json/problems.json")]
//! ```
//!
//! Every code, with its HTTP status:
//!
//! ```json
#![doc = include_str!("../tests/data/json/codes.json")]
//! ```
//!
//! [The table of codes](crate::ErrorKind#codes) says what each one means.
//!
//! # For authors of stores
//!
//! A store may keep what passes through the [contract](crate::store::Store) in this JSON:
//! [`Committed`](crate::store::Committed) with [`CommitId`](crate::store::CommitId) and [`EventText`](crate::event::EventText),
//! [`Index`](crate::store::Index), [`Ending`](crate::store::Ending), [`Cursor`](crate::store::Cursor). A newer version may have written
//! what a store has kept, so unknown members are ignored here. A commit ID is a list of its 16 bytes.
//! [`Record::to_bytes`](crate::store::Record::to_bytes) is the form of a record.
//!
//! The history of a client, with the text of an event:
//!
//! ```json
#![doc = include_str!("../tests/data/json/store_committed.json")]
//! ```
//!
//! The lookup entries of a client, which has two secrets:
//!
//! ```json
#![doc = include_str!("../tests/data/json/store_index.json")]
//! ```
//!
//! The index of a deleted client:
//!
//! ```json
#![doc = include_str!("../tests/data/json/store_index_of_a_tombstone.json")]
//! ```
