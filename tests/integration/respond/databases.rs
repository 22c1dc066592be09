//! PostgreSQL and Redis, changed and proved.
