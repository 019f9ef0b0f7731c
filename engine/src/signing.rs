//! Signatures and bearer tokens (PROTOCOL §2).
