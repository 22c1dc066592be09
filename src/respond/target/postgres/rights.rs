//! Whether a role can be changed by whoever is logged in: the server's rules, asked before anything is changed.
//!
//! Source: the manual's pages on `ALTER ROLE` and on predefined roles, of 15 and of 16, where `CREATEROLE` alone ceased to be enough.

use crate::provider::login::Row;

/// Verifiers are taken from here on.
pub(super) const FIRST_WITH_SCRAM: u32 = 100_000;
/// From here on a role is altered by those who have it with `ADMIN OPTION`.
const FIRST_WITH_ADMIN_OPTION: u32 = 160_000;

/// What the server says, in the order of [`Rights::question`].
pub(super) struct Rights {
    version: u32,
    is_standby: bool,
    exists: bool,
    may_signal: bool,
    changer: Changer,
    role: Role,
}

/// Who is logged in.
struct Changer {
    is_superuser: bool,
    may_create_roles: bool,
    has_admin_option: bool,
}

/// The role that is to be changed.
struct Role {
    is_superuser: bool,
    replicates: bool,
    has_expired: bool,
}

impl Rights {
    pub(super) fn question(role: &str) -> String {
        format!(
            "SELECT current_setting('server_version_num'), pg_is_in_recovery(), role.oid IS NOT NULL, me.rolsuper, \
             me.rolcreaterole, coalesce(pg_has_role(me.oid, role.oid, 'MEMBER WITH ADMIN OPTION'), false), \
             coalesce(pg_has_role(me.oid, role.oid, 'USAGE'), false) \
             OR (pg_has_role(me.oid, 'pg_signal_backend', 'USAGE') AND NOT coalesce(role.rolsuper, false)), \
             coalesce(role.rolsuper, false), coalesce(role.rolreplication, false), \
             coalesce(role.rolvaliduntil <= now(), false) \
             FROM pg_roles me LEFT JOIN pg_roles role ON role.rolname = {role} WHERE me.rolname = current_user"
        )
    }

    pub(super) fn read(rows: &[Row]) -> Option<Self> {
        let [row] = rows else { return None };
        let [version, flags @ ..] = row.as_slice() else { return None };
        let flags: Option<Vec<bool>> = flags.iter().map(|flag| truth(flag.as_deref())).collect();
        let [is_standby, exists, is_superuser, may_create_roles, has_admin_option, may_signal, flags @ ..] =
            flags.as_deref()?
        else {
            return None;
        };
        let [role_is_superuser, replicates, has_expired] = flags else { return None };
        Some(Self {
            version: version.as_deref()?.parse().ok()?,
            is_standby: *is_standby,
            exists: *exists,
            may_signal: *may_signal,
            changer: Changer {
                is_superuser: *is_superuser,
                may_create_roles: *may_create_roles,
                has_admin_option: *has_admin_option,
            },
            role: Role {
                is_superuser: *role_is_superuser,
                replicates: *replicates,
                has_expired: *has_expired,
            },
        })
    }

    /// Whether all acts will be allowed; else why not, and what to do.
    pub(super) fn may_rotate(&self, is_own: bool) -> Result<(), &'static str> {
        let Changer { is_superuser, may_create_roles, has_admin_option } = self.changer;
        let is_old = self.version < FIRST_WITH_ADMIN_OPTION;
        let obstacles = [
            (self.version < FIRST_WITH_SCRAM, "the server is older than PostgreSQL 10 and knows no SCRAM"),
            (self.is_standby, "the server is a standby and takes no changes; name the primary as host"),
            (!self.exists, "there is no such role"),
            (
                self.role.has_expired,
                "its password has expired (VALID UNTIL), and so would the new one; set another date first",
            ),
            (
                self.role.is_superuser && !is_superuser,
                "only a superuser changes a superuser; name one in `admin_url_env`",
            ),
            (
                is_old && self.role.replicates && !is_superuser,
                "before PostgreSQL 16 only a superuser changes a role for replication; name one in `admin_url_env`",
            ),
            (
                !is_own && !is_superuser && !may_create_roles,
                "the administrator may not alter roles; grant it CREATEROLE",
            ),
            (
                !is_own && !is_old && !is_superuser && !has_admin_option,
                "the administrator may not alter this role; grant it the role WITH ADMIN OPTION",
            ),
            (
                !is_own && !is_superuser && !self.may_signal,
                "the administrator may not end the role's sessions; grant it pg_signal_backend",
            ),
        ];
        obstacles.iter().find(|(stands, _)| *stands).map_or(Ok(()), |(_, why)| Err(*why))
    }
}

fn truth(flag: Option<&str>) -> Option<bool> {
    match flag {
        Some("t") => Some(true),
        Some("f") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rights as a row of letters after the version.
    fn rights(version: &str, flags: &str) -> Option<Rights> {
        let flags = flags.chars().map(|flag| Some(flag.to_string()));
        Rights::read(&[[Some(version.to_owned())].into_iter().chain(flags).collect()])
    }

    fn obstacle(version: &str, flags: &str, is_own: bool) -> String {
        let rights = rights(version, flags).unwrap();
        rights.may_rotate(is_own).map_or_else(str::to_owned, |()| "none".into())
    }

    #[test]
    fn the_servers_rules_before_and_after_16() {
        // Standby, exists, superuser, CREATEROLE, ADMIN OPTION, signals; the role's: superuser, replication, expired.
        for (version, flags, is_own, words) in [
            ("150018", "fttttt", false, ""),
            ("90624", "ftttttfff", false, "older than PostgreSQL 10"),
            ("150018", "ttttttfff", false, "standby"),
            ("150018", "ffttttfff", false, "no such role"),
            ("150018", "fttttttff", false, "none"),
            ("150018", "ftftfttff", false, "only a superuser changes a superuser"),
            ("150018", "ftftftftf", false, "replication"),
            ("160001", "ftfttttff", false, "only a superuser changes a superuser"),
            ("160001", "ftftttftf", false, "none"),
            ("150018", "ftftftfff", false, "none"),
            ("160001", "ftftftfff", false, "ADMIN OPTION"),
            ("150018", "ftffftfff", false, "CREATEROLE"),
            ("150018", "ftftfffff", false, "pg_signal_backend"),
            ("150018", "fttttffft", false, "expired"),
            ("150018", "ftfffffff", true, "none"),
            ("150018", "ftfffftft", true, "expired"),
            ("150018", "ftffffftf", true, "replication"),
        ] {
            if words.is_empty() {
                assert!(rights(version, flags).is_none());
            } else {
                let said = obstacle(version, flags, is_own);
                assert!(said.contains(words), "{version} {flags}: {said}");
            }
        }
    }

    #[test]
    fn an_answer_of_another_form_is_none() {
        assert!(Rights::read(&[]).is_none());
        assert!(Rights::read(&[Vec::new()]).is_none());
        assert!(rights("x", "ftttttfff").is_none());
        assert!(rights("150018", "ftttttff1").is_none());
    }
}
