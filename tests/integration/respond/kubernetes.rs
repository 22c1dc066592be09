//! Kubernetes: synced, restarted, waited for.
