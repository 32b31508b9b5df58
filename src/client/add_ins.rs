//! Associating add-ins with a client ID, and moving them (rules 1, 2 and 14).
//!
//! An add-in may have only one client ID. That spans clients, so the store enforces it; everything else is decided here.

use super::draft::Draft;
use super::{Change, Client, CommandContext, Decision, Refusal};
use crate::event::Fact;
use crate::value::secret_text::refuse_secret;
use crate::value::{AddIn, AddInId, Field};

/// The result of moving an add-in.
#[derive(Debug)]
#[must_use = "nothing has changed until both changes are committed together"]
pub enum Move {
    /// The add-in is with the other client ID already.
    Unchanged,
    /// Both clients change, in one commit.
    Changed {
        /// The change of the client ID that the add-in leaves.
        from: Box<Change>,
        /// The change of the client ID that the add-in moves to.
        to: Box<Change>,
    },
}

impl Client {
    /// Associates an add-in with this client ID (rule 1). Doing it again changes nothing.
    ///
    /// # Errors
    /// - [`Refusal::AvailabilityDiffers`]: the add-in has another availability than the client ID (rule 2).
    /// - [`Refusal::TooManyAddIns`]: the client ID serves 256 add-ins already.
    /// - [`Refusal::Invalid`]: the add-in's ID is a client secret (rule 8).
    /// - [`Refusal::UnknownClient`], [`Refusal::ClockBehind`]: the actor may not change this client, or not under this clock
    ///   (rules 15 and 19).
    pub fn associate(&self, add_in: &AddIn, context: &CommandContext<'_>) -> Result<Decision, Refusal> {
        let now = self.admit(context)?;
        let mut draft = Draft::of(self, context, now);
        let is_news = draft.associate(add_in)?;
        Ok(if is_news { draft.into() } else { Decision::Unchanged })
    }

    /// Dissociates an add-in from this client ID. Nothing changes if it is not associated.
    ///
    /// # Errors
    /// [`Refusal::UnknownClient`], [`Refusal::ClockBehind`]: the actor may not change this client, or not under this clock
    /// (rules 15 and 19).
    pub fn dissociate(&self, add_in: &AddInId, context: &CommandContext<'_>) -> Result<Decision, Refusal> {
        let now = self.admit(context)?;
        if !self.serves(add_in) {
            return Ok(Decision::Unchanged);
        }
        let mut draft = Draft::of(self, context, now);
        draft.let_go(add_in);
        draft.record(Fact::AddInDissociated { add_in: add_in.clone() });
        Ok(draft.into())
    }

    /// Moves an add-in to another client ID (rule 14). Nothing changes if it is there already.
    ///
    /// Both clients change at the same instant, which is no earlier than the last change of either.
    ///
    /// # Errors
    /// - [`Refusal::OtherOwner`], [`Refusal::AvailabilityDiffers`]: the two client IDs differ in seller or availability.
    /// - [`Refusal::Suspended`], [`Refusal::NoValidSecret`], [`Refusal::TooManyAddIns`]: `to` is suspended, has no valid secret
    ///   at that instant, or serves 256 add-ins already.
    /// - [`Refusal::NotAssociated`]: the add-in is associated with neither of the two.
    /// - [`Refusal::UnknownClient`], [`Refusal::ClockBehind`]: the actor may not change both clients, or not under this clock
    ///   (rules 15 and 19).
    pub fn move_add_in(
        &self,
        to: &Self,
        add_in: &AddInId,
        context: &CommandContext<'_>,
    ) -> Result<Move, Refusal> {
        let now = self.admit(context)?.max(to.admit(context)?);
        if self.owner != to.owner {
            return Err(Refusal::OtherOwner);
        }
        if self.availability != to.availability {
            return Err(Refusal::AvailabilityDiffers { add_in: self.availability, client: to.availability });
        }
        if to.serves(add_in) {
            return Ok(Move::Unchanged);
        }
        if !self.serves(add_in) {
            return Err(Refusal::NotAssociated { add_in: add_in.clone() });
        }
        if to.suspension().is_some() {
            return Err(Refusal::Suspended);
        }
        if to.valid_at(now).next().is_none() {
            return Err(Refusal::NoValidSecret);
        }
        to.refuse_full()?;

        let mut leaves = Draft::of(self, context, now);
        leaves.let_go(add_in);
        leaves.record(Fact::AddInMovedOut { add_in: add_in.clone(), to: to.id.clone() });
        let mut comes = Draft::of(to, context, now);
        comes.take_in(add_in);
        comes.record(Fact::AddInMovedIn { add_in: add_in.clone(), from: self.id.clone() });
        Ok(Move::Changed { from: Box::new(leaves.finish()), to: Box::new(comes.finish()) })
    }

    pub(super) fn refuse_availability(&self, add_in: &AddIn) -> Result<(), Refusal> {
        if add_in.availability() == self.availability {
            return Ok(());
        }
        Err(Refusal::AvailabilityDiffers { add_in: add_in.availability(), client: self.availability })
    }

    pub(super) fn serves(&self, add_in: &AddInId) -> bool {
        self.add_ins().binary_search(add_in).is_ok()
    }

    fn refuse_full(&self) -> Result<(), Refusal> {
        if self.add_ins().len() < MAX_ADD_INS {
            return Ok(());
        }
        Err(Refusal::TooManyAddIns { limit: MAX_ADD_INS })
    }
}

impl Draft {
    /// Associates an add-in as [`Client::associate`] does. Returns `false` if it is associated already.
    pub(super) fn associate(&mut self, add_in: &AddIn) -> Result<bool, Refusal> {
        let client = self.client();
        client.refuse_availability(add_in)?;
        if client.serves(add_in.id()) {
            return Ok(false);
        }
        client.refuse_full()?;
        refuse_secret(Field::AddInId, add_in.id().as_str())?;
        self.take_in(add_in.id());
        self.record(Fact::AddInAssociated { add_in: add_in.id().clone() });
        Ok(true)
    }

    fn take_in(&mut self, add_in: &AddInId) {
        let add_ins = &mut self.client_mut().extras_mut().add_ins;
        if let Err(position) = add_ins.binary_search(add_in) {
            add_ins.insert(position, add_in.clone());
        }
    }

    fn let_go(&mut self, add_in: &AddInId) {
        self.client_mut().extras_mut().add_ins.retain(|served| served != add_in);
    }
}

/// The most add-ins that one client ID may serve (rule 1).
pub const MAX_ADD_INS: usize = 256;
