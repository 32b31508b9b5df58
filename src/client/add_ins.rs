//! Add-ins: which of them use a client ID (rules 1, 2 and 14).
//!
//! That an add-in has no other client ID spans clients; the store sees to it.

use super::draft::Draft;
use super::{Change, Client, CommandContext, Decision, Refusal};
use crate::event::Fact;
use crate::value::secret_text::refuse_secret;
use crate::value::{AddIn, AddInId, Field};

/// What moving an add-in comes to.
#[derive(Debug)]
#[must_use = "nothing has changed until both changes are committed together"]
pub enum Move {
    /// It is with the other client ID already.
    Unchanged,
    /// The changes of both clients, in one commit.
    Changed {
        /// The client ID that the add-in leaves.
        from: Box<Change>,
        /// The client ID that it comes to.
        to: Box<Change>,
    },
}

impl Client {
    /// Associates an add-in (rule 1). Doing it again changes nothing.
    ///
    /// # Errors
    /// A [`Refusal`] when the add-in is of another availability (rule 2) or the client serves 256 already.
    pub fn associate(&self, add_in: &AddIn, context: &CommandContext<'_>) -> Result<Decision, Refusal> {
        let now = self.admit(context)?;
        let mut draft = Draft::of(self, context, now);
        let is_news = draft.associate(add_in)?;
        Ok(if is_news { draft.into() } else { Decision::Unchanged })
    }

    /// Ends an association. If there is none, nothing changes.
    ///
    /// # Errors
    /// A [`Refusal`] when the actor may not change this client.
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

    /// Moves an add-in to another client ID (rule 14). If it is there already, nothing changes.
    ///
    /// Both clients change at one instant, which is no earlier than the last change of either.
    ///
    /// # Errors
    /// A [`Refusal`] when the two differ in seller or availability, when `to` has no valid secret at that instant or
    /// serves 256 add-ins already, or when the add-in is with neither.
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
        self.add_ins.binary_search(add_in).is_ok()
    }

    fn refuse_full(&self) -> Result<(), Refusal> {
        if self.add_ins.len() < MAX_ADD_INS {
            return Ok(());
        }
        Err(Refusal::TooManyAddIns { limit: MAX_ADD_INS })
    }
}

impl Draft {
    /// Associates an add-in as [`Client::associate`] describes it. `false` when it is associated already.
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
        let add_ins = &mut self.client_mut().add_ins;
        if let Err(position) = add_ins.binary_search(add_in) {
            add_ins.insert(position, add_in.clone());
        }
    }

    fn let_go(&mut self, add_in: &AddInId) {
        self.client_mut().add_ins.retain(|served| served != add_in);
    }
}

/// How many add-ins one client ID may serve (rule 1).
pub const MAX_ADD_INS: usize = 256;
