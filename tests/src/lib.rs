//! End-to-end tests with real SDKs.
