//! Signing keys, one after the other.
