//! Keycloak, Grafana, MinIO, NATS.
