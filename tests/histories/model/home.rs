//! Where the registry under test lives: in memory, or in several stores side by side.

use client_registry::store::{MemoryStore, Store};
use client_registry::{Registry, RegistryBuilder};

/// A store that a history begins in.
pub(crate) trait Home: Store + Sized {
    /// An empty one, with a registry.
    fn registry(builder: RegistryBuilder) -> Registry<Self>;
}

impl Home for MemoryStore {
    fn registry(builder: RegistryBuilder) -> Registry<Self> {
        builder.in_memory()
    }
}
