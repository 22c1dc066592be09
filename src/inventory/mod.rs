//! What the secret manager should hold and what it does: `inventory.yaml`, and the index of known values.
