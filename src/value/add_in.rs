//! An add-in as the application presents it: its ID and its availability (rules 1 and 2).

use serde::Serialize;

use crate::value::redacted::redacted;
use crate::value::{AddInId, Availability, InvalidValue};

redacted! {
    /// An add-in, which a client ID can be associated with (rule 1). The application must have checked that the actor owns it.
    #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
    #[serde(deny_unknown_fields)]
    pub struct AddIn {
        id: AddInId,
        availability: Availability,
    }
}

impl AddIn {
    /// Returns the add-in with this ID. Its availability never changes (rule 2).
    ///
    /// # Errors
    /// [`InvalidValue`] if the ID is not 1 to 128 printable ASCII characters without spaces.
    pub fn new(id: &str, availability: Availability) -> Result<Self, InvalidValue> {
        Ok(Self { id: AddInId::parse(id)?, availability })
    }

    /// Returns the ID of the add-in.
    #[must_use]
    pub fn id(&self) -> &AddInId {
        &self.id
    }

    /// Returns where the add-in is offered.
    #[must_use]
    pub fn availability(&self) -> Availability {
        self.availability
    }
}
