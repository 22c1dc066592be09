//! Keys that providers gave out, revoked.
