//! The event-api component.
