//! The facts that events tell.
//!
//! A fact names IDs and dates, and never holds anything from which a client secret could be computed. Facts are stored for
//! ever: a new fact gets a new name, and a fact that exists gets no new member, since an older version would take that for an
//! edit.

use serde::Serialize;

use crate::secret::{Origin, Purpose};
use crate::value::client_id::stored_client_id;
use crate::value::redacted::redacted;
use crate::value::{
    AddInId, Attributes, Availability, ClientDetails, ClientId, FriendlyName, Label, SecretId, SellerId,
    Timestamp, Validity,
};

redacted! {
    /// A fact about a client: what happened.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    #[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
    #[non_exhaustive]
    pub enum Fact {
        /// A client ID was registered.
        ClientRegistered {
            /// The seller that owns it.
            owner: SellerId,
            /// Its details.
            details: ClientDetails,
            /// Where it is offered.
            availability: Availability,
        },
        /// A client ID was imported (rule 18).
        ClientImported {
            /// The seller that owns it.
            owner: SellerId,
            /// Its details.
            details: ClientDetails,
            /// Where it is offered.
            availability: Availability,
        },
        /// The details were changed.
        DetailsChanged {
            /// The new details.
            details: ClientDetails,
        },
        /// A secret was generated or imported.
        SecretAdded {
            /// Its ID.
            secret: SecretId,
            /// Its label.
            label: Option<Label>,
            /// Its purpose.
            purpose: Purpose,
            /// When it is valid.
            validity: Validity,
            /// Whether it was generated or imported.
            origin: Origin,
        },
        /// A rotation was called off (rule 11). The facts after it tell what was deleted and restored.
        RotationCalledOff {
            /// The new secret of the rotation.
            secret: SecretId,
        },
        /// A replaced secret was restored, since the rotation was called off (rule 11).
        SecretRestored {
            /// Its ID.
            secret: SecretId,
            /// Its validity from now on.
            validity: Validity,
        },
        /// The end of a secret was moved (rules 11 and 21).
        EndMoved {
            /// Its ID.
            secret: SecretId,
            /// Its validity from now on.
            validity: Validity,
        },
        /// A rotation replaced a secret, which now ends after the overlap (rule 11).
        SecretReplaced {
            /// The secret that ends.
            secret: SecretId,
            /// The secret that replaces it.
            by: SecretId,
            /// The new validity of the secret that ends.
            validity: Validity,
        },
        /// A secret was disabled, and its promotions were withdrawn (rules 7 and 12).
        SecretDisabled {
            /// Its ID.
            secret: SecretId,
        },
        /// A secret was enabled again (rule 12).
        SecretEnabled {
            /// Its ID.
            secret: SecretId,
        },
        /// A secret was deleted, and its promotions were withdrawn (rules 7 and 9).
        SecretDeleted {
            /// Its ID.
            secret: SecretId,
        },
        /// A deleted secret was marked as compromised (rule 10).
        SecretCompromised {
            /// Its ID.
            secret: SecretId,
        },
        /// The secret that ended longest ago was removed to make room (rule 3).
        SecretForgotten {
            /// Its ID.
            secret: SecretId,
        },
        /// A secret was promoted to sign at once (rule 7).
        SecretPromoted {
            /// Its ID.
            secret: SecretId,
        },
        /// A promotion was scheduled (rule 7).
        PromotionScheduled {
            /// Its ID.
            secret: SecretId,
            /// When the promotion takes effect.
            from: Timestamp,
        },
        /// A scheduled promotion was withdrawn (rule 7).
        PromotionWithdrawn {
            /// Its ID.
            secret: SecretId,
            /// When it would have taken effect.
            from: Timestamp,
        },
        /// A promotion that a rotation had withdrawn was restored, since the rotation was called off (rule 11).
        PromotionRestored {
            /// Its ID.
            secret: SecretId,
            /// When the promotion takes effect, or took effect.
            from: Timestamp,
        },
        /// An add-in was associated with this client ID (rule 1).
        AddInAssociated {
            /// Its ID.
            add_in: AddInId,
        },
        /// An add-in was dissociated from this client ID.
        AddInDissociated {
            /// Its ID.
            add_in: AddInId,
        },
        /// An add-in was moved here from another client ID (rule 14).
        AddInMovedIn {
            /// Its ID.
            add_in: AddInId,
            /// The client ID that it came from.
            #[serde(deserialize_with = "stored_client_id")]
            from: ClientId,
        },
        /// An add-in was moved from here to another client ID (rule 14).
        AddInMovedOut {
            /// Its ID.
            add_in: AddInId,
            /// The client ID that it went to.
            #[serde(deserialize_with = "stored_client_id")]
            to: ClientId,
        },
        /// The attributes were replaced (rule 24).
        AttributesChanged {
            /// The new attributes.
            attributes: Attributes,
        },
        /// The client was suspended (rule 20).
        ClientSuspended {},
        /// The client was resumed (rule 20).
        ClientResumed {},
        /// The client ID was transferred to another seller (rule 22).
        ClientTransferred {
            /// The seller that owned it.
            from: SellerId,
            /// The seller that owns it from now on.
            to: SellerId,
        },
        /// The client ID was deleted, with all its secrets and associations (rule 13).
        ClientDeleted {
            /// The friendly name, which is free again.
            friendly_name: FriendlyName,
            /// The add-ins that lost access.
            add_ins: Vec<AddInId>,
        },
    }
}

redacted! {
    /// The secrets that signed before and after an event; `None` if none did.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
    #[serde(deny_unknown_fields)]
    pub struct Handover {
        /// The signing secret before the event.
        pub before: Option<SecretId>,
        /// The signing secret after the event.
        pub after: Option<SecretId>,
    }
}
