//! Tokens of the manager itself.
