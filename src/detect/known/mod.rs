//! Values that a secret manager holds, found wherever they stand.
