//! What a secret is and how often it is rotated, where the file does not say it.

use super::{PathPattern, Period, words};

words! {
    /// What a secret is; it chooses how it is rotated.
    Kind {
        /// The password of a role of a database.
        DatabasePassword = "database-password",
        /// The password of a cache: Redis, Dragonfly.
        CachePassword = "cache-password",
        /// The password of a service that takes it from its configuration only: NATS, MinIO.
        ServicePassword = "service-password",
        /// A private key that tokens are signed with.
        SigningKey = "signing-key",
        /// A key that a provider gave out.
        ApiKey = "api-key",
        /// The password of a service's administrator: Keycloak, Grafana.
        AdminPassword = "admin-password",
        /// A token of the secret manager itself.
        ManagerToken = "manager-token",
        /// Something random that only its consumers know.
        Static = "static",
    }
}

words! {
    /// Who starts a rotation.
    Trigger {
        /// The schedule.
        Automated = "automated",
        /// A person.
        Manual = "manual",
        /// A person, and then old and new are both accepted for a while.
        BlueGreen = "blue-green",
    }
}

/// How often a secret is rotated, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// How old a value may become; whole days.
    pub every: Period,
    /// How long before that it is told of; whole days.
    pub notice: Period,
    /// Who starts it.
    pub trigger: Trigger,
}

/// One row: what holds for names of a folder.
struct Row {
    /// A pattern of folder and name.
    path: &'static str,
    kind: Kind,
    every: u32,
    notice: u32,
    trigger: Trigger,
}

const fn row(path: &'static str, kind: Kind, every: u32, notice: u32, trigger: Trigger) -> Row {
    Row { path, kind, every, notice, trigger }
}

/// The platform's rules, by folder and name. The first row that fits holds; the rows at the end are for any folder, and there is
/// one for each kind among them.
#[rustfmt::skip]
const DEFAULTS: &[Row] = &[
    row("/infrastructure/POSTGRES_*",            Kind::DatabasePassword, 90,  7, Trigger::Automated),
    row("/infrastructure/DRAGONFLY_*",           Kind::CachePassword,    90,  7, Trigger::Automated),
    row("/infrastructure/REDIS_*",               Kind::CachePassword,    90,  7, Trigger::Automated),
    row("/infrastructure/*",                     Kind::ServicePassword,  90,  7, Trigger::Automated),
    row("/llm-providers/*",                      Kind::ApiKey,           90, 14, Trigger::Manual),
    row("/authentication/*_SIGNING_KEY",         Kind::SigningKey,      365, 30, Trigger::BlueGreen),
    row("/authentication/*_ADMIN_PASSWORD",      Kind::AdminPassword,    90,  7, Trigger::Automated),
    row("/authentication/*",                     Kind::Static,          365, 30, Trigger::Manual),
    row("/external-services/*",                  Kind::ApiKey,           90, 14, Trigger::Manual),
    row("/observability/*_ADMIN_PASSWORD",       Kind::AdminPassword,    90, 14, Trigger::Manual),
    row("/observability/*",                      Kind::ApiKey,           90, 14, Trigger::Manual),
    row("/*/*_ADMIN_PASSWORD",                   Kind::AdminPassword,    90,  7, Trigger::Automated),
    row("/*/*_SIGNING_KEY",                      Kind::SigningKey,      365, 30, Trigger::BlueGreen),
    row("/*/*_API_KEY",                          Kind::ApiKey,           90, 14, Trigger::Manual),
    row("/*/POSTGRES_*",                         Kind::DatabasePassword, 90,  7, Trigger::Automated),
    row("/*/REDIS_*",                            Kind::CachePassword,    90,  7, Trigger::Automated),
    row("/*/INFISICAL_*",                        Kind::ManagerToken,     30,  7, Trigger::Automated),
    row("/*/*_PASSWORD",                         Kind::ServicePassword,  90,  7, Trigger::Automated),
    row("/*",                                    Kind::Static,          365, 30, Trigger::Manual),
];

/// What holds for a secret of this folder and name; of the kind that the file gives it, if it does.
///
/// A kind that is not the folder's own has the schedule of that kind, wherever it first stands in the table.
pub(super) fn defaults(path: &str, kind: Option<Kind>) -> (Kind, Rotation) {
    let fits = |row: &&Row| row.path.parse::<PathPattern>().is_ok_and(|pattern| pattern.matches(path));
    let is_kind = |row: &&Row| kind.is_none_or(|kind| row.kind == kind);
    let found = DEFAULTS.iter().filter(fits).find(is_kind).or_else(|| DEFAULTS.iter().find(is_kind));
    let row = found.expect("there is a row for each kind, and one for every path");
    let rotation =
        Rotation { every: Period::days(row.every), notice: Period::days(row.notice), trigger: row.trigger };
    (row.kind, rotation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, kind: Option<Kind>) -> String {
        let (kind, rotation) = defaults(path, kind);
        format!("{kind} {} {} {}", rotation.every, rotation.notice, rotation.trigger)
    }

    #[test]
    fn every_pattern_of_the_table_is_one_and_every_kind_has_a_row() {
        assert!(DEFAULTS.iter().all(|row| row.path.parse::<PathPattern>().is_ok()));
        assert!(DEFAULTS.iter().all(|row| row.notice < row.every));
        for kind in Kind::ALL {
            assert_eq!(defaults("/x/Y", Some(*kind)).0, *kind);
        }
    }

    #[test]
    fn the_platforms_names_have_the_platforms_schedule() {
        for (expected, path) in [
            ("database-password 90d 7d automated", "/infrastructure/POSTGRES_REPLICATION_PASSWORD"),
            ("cache-password 90d 7d automated", "/infrastructure/DRAGONFLY_PASSWORD"),
            ("service-password 90d 7d automated", "/infrastructure/MINIO_SECRET_KEY"),
            ("api-key 90d 14d manual", "/llm-providers/OPENAI_API_KEY"),
            ("signing-key 365d 30d blue-green", "/authentication/JWT_SIGNING_KEY"),
            ("admin-password 90d 7d automated", "/authentication/KEYCLOAK_ADMIN_PASSWORD"),
            ("static 365d 30d manual", "/authentication/SESSION_SECRET"),
            ("api-key 90d 14d manual", "/external-services/GITHUB_TOKEN"),
            ("admin-password 90d 14d manual", "/observability/GRAFANA_ADMIN_PASSWORD"),
            ("api-key 90d 14d manual", "/elsewhere/STRIPE_API_KEY"),
            ("static 365d 30d manual", "/ANYTHING"),
        ] {
            assert_eq!(of(path, None), expected, "{path}");
        }
    }

    #[test]
    fn a_kind_of_its_own_brings_its_own_schedule() {
        assert_eq!(of("/observability/TOKEN", Some(Kind::ManagerToken)), "manager-token 30d 7d automated");
        assert_eq!(of("/infrastructure/X", Some(Kind::ApiKey)), "api-key 90d 14d manual");
        assert_eq!(of("/observability/X", Some(Kind::AdminPassword)), "admin-password 90d 7d automated");
    }
}
