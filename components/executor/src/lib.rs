//! The executor component.
