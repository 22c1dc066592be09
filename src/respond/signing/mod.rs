//! Key pairs that tokens are signed with: made in memory, in the form of the key that they follow.
