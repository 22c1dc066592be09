//! Kubernetes: what reads a secret is synced and restarted, and waited for.
