//! What each service is asked about a secret, and what its answer means.
