//! Attributes: a few strings that the application attaches to a client (rule 24).

use super::draft::Draft;
use super::{Client, CommandContext, Decision, Refusal};
use crate::event::Fact;
use crate::value::secret_text::refuse_secret;
use crate::value::{Attributes, Field};

impl Client {
    /// Replaces the attributes (rule 24). The same ones again change nothing.
    ///
    /// All attributes are replaced, so a caller that adds one must pass the others as well.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if one of them contains a client secret, since attributes are public (rule 8).
    pub fn change_attributes(
        &self,
        attributes: Attributes,
        context: &CommandContext<'_>,
    ) -> Result<Decision, Refusal> {
        let now = self.admit(context)?;
        for (key, value) in attributes.iter() {
            refuse_secret(Field::Attributes, key)?;
            refuse_secret(Field::Attributes, value)?;
        }
        if attributes == *self.attributes() {
            return Ok(Decision::Unchanged);
        }
        let mut draft = Draft::of(self, context, now);
        draft.client_mut().extras_mut().attributes = attributes.clone();
        draft.record(Fact::AttributesChanged { attributes });
        Ok(draft.into())
    }
}
