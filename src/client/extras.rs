//! `Extras`: what most clients lack, in a box of its own.
//!
//! A client that was registered and never changed has none of it, and one with none has no box.

use super::tombstone::Remembered;
use super::{Client, Promotion, Suspension};
use crate::client::gathered::gathered;
use crate::value::{AddInId, Attributes, Timestamp};

/// What a client may have besides its secrets and its details.
pub(crate) struct Extras {
    pub(super) attributes: Attributes,
    pub(super) suspension: Option<Suspension>,
    /// When the present owner got it, if it was transferred (rule 22).
    pub(super) transferred_at: Option<Timestamp>,
    pub(super) promotions: Vec<Promotion>,
    /// Sorted.
    pub(super) add_ins: Vec<AddInId>,
    pub(super) remembered: Vec<Remembered>,
}

impl Extras {
    const NONE: Self = Self {
        attributes: Attributes::NONE,
        suspension: None,
        transferred_at: None,
        promotions: Vec::new(),
        add_ins: Vec::new(),
        remembered: Vec::new(),
    };

    /// Puts them in a box, if there are any.
    pub(super) fn boxed(self) -> Option<Box<Self>> {
        let Self { attributes, suspension, transferred_at, promotions, add_ins, remembered } = &self;
        let is_none = attributes.is_empty()
            && suspension.is_none()
            && transferred_at.is_none()
            && promotions.is_empty()
            && add_ins.is_empty()
            && remembered.is_empty();
        (!is_none).then(|| Box::new(self))
    }

    /// Returns those of a client, to be changed.
    pub(super) fn among(extras: &mut Option<Box<Self>>) -> &mut Self {
        extras.get_or_insert_with(|| Box::new(Self::NONE))
    }

    /// Copies them for the next value of their client.
    pub(super) fn carry(&self) -> Option<Box<Self>> {
        let carried = Self {
            attributes: self.attributes.clone(),
            suspension: self.suspension.clone(),
            transferred_at: self.transferred_at,
            promotions: self.promotions.clone(),
            add_ins: self.add_ins.clone(),
            remembered: gathered(self.remembered.iter().map(Remembered::carry)),
        };
        carried.boxed()
    }
}

impl Client {
    #[inline]
    pub(super) fn extras(&self) -> &Extras {
        static NONE: Extras = Extras::NONE;
        self.extras.as_deref().unwrap_or(&NONE)
    }

    pub(super) fn extras_mut(&mut self) -> &mut Extras {
        Extras::among(&mut self.extras)
    }

    /// Returns the deleted secrets whose verifiers are kept (rule 10).
    #[inline]
    pub(super) fn candidates(&self) -> &[Remembered] {
        &self.extras().remembered
    }
}
