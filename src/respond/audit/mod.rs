//! The audit log: every read of a secret, verification, revocation, rotation, approval and refusal, chained so that a change shows.
