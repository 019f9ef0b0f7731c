//! What follows from the catalog and is kept because it is asked for on every call.

use std::sync::OnceLock;

/// Made when it is first asked for, of data that does not change afterwards.
///
/// It follows from its owner's other fields, so that it takes no part in comparisons or on the wire, and a copy makes its
/// own.
pub struct Derived<T>(OnceLock<T>);

impl<T> Derived<T> {
    /// The value, made by `make` the first time.
    pub fn get_or_make(&self, make: impl FnOnce() -> T) -> &T {
        self.0.get_or_init(make)
    }
}

impl<T> Default for Derived<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> Clone for Derived<T> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<T> PartialEq for Derived<T> {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl<T> Eq for Derived<T> {}

impl<T> std::fmt::Debug for Derived<T> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Derived")
    }
}
