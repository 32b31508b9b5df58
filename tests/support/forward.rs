//! Stores that stand between a registry and its memory do something of their own in one or two methods. For the others
//! there is `forward!(field: method method …)`, inside their `impl Store`.

macro_rules! forward {
    ($field:tt: $($method:ident)*) => {
        $(forward!(@$method $field);)*
    };
    (@load $field:tt) => {
        async fn load(&self, id: client_registry::store::RecordId<'_>) -> Result<Option<client_registry::store::Record>, client_registry::store::StoreError> {
            self.$field.load(id).await
        }
    };
    (@history $field:tt) => {
        async fn history(
            &self,
            client_id: &client_registry::ClientId,
            after: client_registry::value::Revision,
            limit: usize,
        ) -> Result<Vec<client_registry::store::Committed>, client_registry::store::StoreError> {
            self.$field.history(client_id, after, limit).await
        }
    };
    (@clients $field:tt) => {
        async fn clients(
            &self,
            by: client_registry::store::ClientsBy<'_>,
            after: Option<&client_registry::ClientId>,
            limit: usize,
        ) -> Result<Vec<client_registry::ClientId>, client_registry::store::StoreError> {
            self.$field.clients(by, after, limit).await
        }
    };
    (@client_of $field:tt) => {
        async fn client_of(
            &self,
            add_in: &client_registry::AddInId,
        ) -> Result<Option<client_registry::ClientId>, client_registry::store::StoreError> {
            self.$field.client_of(add_in).await
        }
    };
    (@ending $field:tt) => {
        async fn ending(
            &self,
            before: client_registry::Timestamp,
            after: Option<&client_registry::store::Ending>,
            limit: usize,
        ) -> Result<Vec<client_registry::store::Ending>, client_registry::store::StoreError> {
            self.$field.ending(before, after, limit).await
        }
    };
    (@changes $field:tt) => {
        async fn changes(
            &self,
            after: Option<&client_registry::store::Cursor>,
            limit: usize,
        ) -> Result<client_registry::store::Changes, client_registry::store::StoreError> {
            self.$field.changes(after, limit).await
        }
    };
    (@latest $field:tt) => {
        async fn latest(&self) -> Result<client_registry::store::Cursor, client_registry::store::StoreError> {
            self.$field.latest().await
        }
    };
    (@adopt $field:tt) => {
        async fn adopt(&self, clients: &[client_registry::store::Adopted]) -> Result<(), client_registry::store::CommitError> {
            self.$field.adopt(clients).await
        }
    };
    (@note_uses $field:tt) => {
        async fn note_uses(
            &self,
            uses: &[client_registry::store::Use],
            believable_until: client_registry::Timestamp,
        ) -> Result<(), client_registry::store::StoreError> {
            self.$field.note_uses(uses, believable_until).await
        }
    };
    (@last_uses $field:tt) => {
        async fn last_uses(
            &self,
            client_id: &client_registry::ClientId,
        ) -> Result<client_registry::client::LastUses, client_registry::store::StoreError> {
            self.$field.last_uses(client_id).await
        }
    };
}
pub(crate) use forward;
