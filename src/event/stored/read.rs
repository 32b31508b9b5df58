//! The types that the text of an event is read into. They mirror the stored form, so they never change; a new fact is added.

use serde::{Deserialize, Deserializer};

use crate::event::{EventHash, Fact};
use crate::secret::{KeyEncoding, Origin, Purpose};
use crate::value::client_id::stored_client_id;
use crate::value::{
    Actor, AddInId, AppDomain, Attributes, Availability, ClientDetails, ClientId, FriendlyName, Label,
    OperatorId, RedirectUrl, SecretId, SellerId, Timestamp, Validity,
};

#[derive(Deserialize)]
pub(super) struct StoredEvent {
    #[serde(deserialize_with = "stored_client_id")]
    pub(super) client_id: ClientId,
    pub(super) revision: u64,
    pub(super) at: Timestamp,
    #[serde(with = "StoredActor")]
    pub(super) actor: Actor,
    #[serde(with = "StoredFact")]
    pub(super) fact: Fact,
    pub(super) signing: Option<StoredHandover>,
    pub(super) previous: EventHash,
}

#[derive(Deserialize)]
pub(super) struct StoredHandover {
    pub(super) before: Option<SecretId>,
    pub(super) after: Option<SecretId>,
}

#[derive(Deserialize)]
#[serde(remote = "Actor", rename_all = "snake_case")]
enum StoredActor {
    Seller(SellerId),
    Operator(OperatorId),
}

#[derive(Deserialize)]
#[serde(remote = "Fact", tag = "what", rename_all = "snake_case")]
enum StoredFact {
    ClientRegistered {
        owner: SellerId,
        #[serde(deserialize_with = "details")]
        details: ClientDetails,
        #[serde(with = "StoredAvailability")]
        availability: Availability,
    },
    ClientImported {
        owner: SellerId,
        #[serde(deserialize_with = "details")]
        details: ClientDetails,
        #[serde(with = "StoredAvailability")]
        availability: Availability,
    },
    DetailsChanged {
        #[serde(deserialize_with = "details")]
        details: ClientDetails,
    },
    SecretAdded {
        secret: SecretId,
        label: Option<Label>,
        #[serde(with = "StoredPurpose")]
        purpose: Purpose,
        #[serde(deserialize_with = "validity")]
        validity: Validity,
        #[serde(with = "StoredOrigin")]
        origin: Origin,
    },
    SecretReplaced {
        secret: SecretId,
        by: SecretId,
        #[serde(deserialize_with = "validity")]
        validity: Validity,
    },
    RotationCalledOff {
        secret: SecretId,
    },
    SecretRestored {
        secret: SecretId,
        #[serde(deserialize_with = "validity")]
        validity: Validity,
    },
    EndMoved {
        secret: SecretId,
        #[serde(deserialize_with = "validity")]
        validity: Validity,
    },
    SecretDisabled {
        secret: SecretId,
    },
    SecretEnabled {
        secret: SecretId,
    },
    SecretDeleted {
        secret: SecretId,
    },
    SecretCompromised {
        secret: SecretId,
    },
    SecretForgotten {
        secret: SecretId,
    },
    SecretPromoted {
        secret: SecretId,
    },
    PromotionScheduled {
        secret: SecretId,
        from: Timestamp,
    },
    PromotionWithdrawn {
        secret: SecretId,
        from: Timestamp,
    },
    PromotionRestored {
        secret: SecretId,
        from: Timestamp,
    },
    AddInAssociated {
        add_in: AddInId,
    },
    AddInDissociated {
        add_in: AddInId,
    },
    AddInMovedIn {
        add_in: AddInId,
        #[serde(deserialize_with = "stored_client_id")]
        from: ClientId,
    },
    AddInMovedOut {
        add_in: AddInId,
        #[serde(deserialize_with = "stored_client_id")]
        to: ClientId,
    },
    AttributesChanged {
        attributes: Attributes,
    },
    ClientSuspended {},
    ClientResumed {},
    ClientTransferred {
        from: SellerId,
        to: SellerId,
    },
    ClientDeleted {
        friendly_name: FriendlyName,
        add_ins: Vec<AddInId>,
    },
}

#[derive(Deserialize)]
#[serde(remote = "Availability", rename_all = "snake_case")]
enum StoredAvailability {
    Worldwide,
    ChinaOnly,
}

#[derive(Deserialize)]
#[serde(remote = "Purpose", rename_all = "snake_case")]
enum StoredPurpose {
    SigningAndPassword,
    PasswordOnly,
}

#[derive(Deserialize)]
#[serde(remote = "Origin", rename_all = "snake_case")]
enum StoredOrigin {
    Generated,
    Imported {
        #[serde(with = "StoredKeyEncoding")]
        key_encoding: KeyEncoding,
    },
}

#[derive(Deserialize)]
#[serde(remote = "KeyEncoding", rename_all = "snake_case")]
enum StoredKeyEncoding {
    Utf8,
    Base64,
}

fn details<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ClientDetails, D::Error> {
    #[derive(Deserialize)]
    struct StoredDetails {
        friendly_name: FriendlyName,
        app_domain: AppDomain,
        redirect_url: RedirectUrl,
    }
    let StoredDetails { friendly_name, app_domain, redirect_url } = StoredDetails::deserialize(deserializer)?;
    Ok(ClientDetails::from_parts(friendly_name, app_domain, redirect_url))
}

fn validity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Validity, D::Error> {
    #[derive(Deserialize)]
    struct StoredValidity {
        from: Timestamp,
        until: Option<Timestamp>,
    }
    let StoredValidity { from, until } = StoredValidity::deserialize(deserializer)?;
    Validity::new(from, until).map_err(serde::de::Error::custom)
}
