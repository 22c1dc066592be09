//! What stands around a database's password: which service, who logs in, and where.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::recover::Around;
use crate::model::Secret;

/// A user's name, a host or a database is no longer, in bytes.
const LONGEST: usize = 255;

/// What a connection string says beside the password. It is scanned content: nothing in it decides where anything is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Dsn {
    /// The scheme of a URL, in lower case, without `jdbc:` and drivers.
    pub(super) scheme: Option<String>,
    pub(super) user: Option<String>,
    /// Hosts with their ports, where they are said; several of a cluster.
    pub(super) hosts: Vec<(String, Option<u16>)>,
    pub(super) database: Option<String>,
    /// The password in it is percent-encoded.
    pub(super) is_url: bool,
}

impl Dsn {
    /// Reads the connection string around a value, in whichever of the usual forms it is.
    pub(super) fn around(around: &Around) -> Option<Self> {
        let (before, after) =
            (String::from_utf8_lossy(around.before()), String::from_utf8_lossy(around.after()));
        url(&before, &after).or_else(|| go_mysql(&before, &after)).or_else(|| keywords(&before, &after))
    }

    /// The password as it is typed, not as it stands in a URL.
    pub(super) fn password(&self, value: &Secret) -> Secret {
        if self.is_url {
            Secret::new(percent_decode(value.expose()).collect::<Vec<u8>>())
        } else {
            value.clone()
        }
    }
}

fn is_end(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '`' | '<' | '>' | '\\')
}

fn short(text: &str) -> Option<String> {
    (!text.is_empty() && text.len() <= LONGEST).then(|| text.to_owned())
}

fn decoded(text: &str) -> Option<String> {
    short(&percent_decode(text.as_bytes()).decode_utf8_lossy())
}

/// `scheme://user:` … `@host:port/database?…`, also with slashes escaped.
fn url(before: &str, after: &str) -> Option<Dsn> {
    let rest = after.strip_prefix('@')?;
    let user = before.strip_suffix(':')?;
    let (head, user) = user.rsplit_once('/')?;
    if user.chars().any(is_end) {
        return None;
    }
    let head = head.trim_end_matches(['/', '\\']).strip_suffix(':')?;
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_');
    let start = head
        .rfind(|c| !is_scheme(c))
        .map_or(0, |at| at + head[at..].chars().next().map_or(1, char::len_utf8));
    let scheme = head[start..].split('+').next().unwrap_or_default().to_ascii_lowercase();
    let rest = rest.split(is_end).next().unwrap_or_default();
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let authority = authority.split(['?', '#']).next().unwrap_or_default();
    let path = path.split(['?', '#', '/']).next().unwrap_or_default();
    Some(Dsn {
        scheme: Some(short(&scheme)?),
        user: decoded(user),
        hosts: authority.split(',').filter_map(host).collect(),
        database: decoded(path),
        is_url: true,
    })
}

/// `host`, `host:port`, `[address]:port`.
fn host(text: &str) -> Option<(String, Option<u16>)> {
    let text = text.trim_matches([')', ']', '}', ';', '.']);
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => (address, rest.strip_prefix(':')),
        None => text.rsplit_once(':').map_or((text, None), |(name, port)| (name, Some(port))),
    };
    let port = match port {
        None | Some("") => None,
        Some(digits) => Some(digits.parse().ok()?),
    };
    Some((short(&name.to_ascii_lowercase())?, port))
}

/// `user:` … `@tcp(host:port)/database`, of Go's MySQL driver.
fn go_mysql(before: &str, after: &str) -> Option<Dsn> {
    let rest = after.strip_prefix("@tcp6(").or_else(|| after.strip_prefix("@tcp("))?;
    let (address, rest) = rest.split_once(')')?;
    let user = before.strip_suffix(':')?;
    let user = user.rsplit(|c: char| is_end(c) || matches!(c, '=' | '(' | ',')).next()?;
    let path = rest.strip_prefix('/').unwrap_or_default();
    Some(Dsn {
        scheme: Some("mysql".into()),
        user: short(user),
        hosts: host(address).into_iter().collect(),
        database: path.split(|c: char| is_end(c) || c == '?').next().and_then(short),
        is_url: false,
    })
}

/// Keywords of libpq with their place in a [`Dsn`], and those of ADO-like strings: `host=… user=… password=…`, `Server=…;User Id=…;`.
const KEYWORDS: &[(&str, Keyword)] = &[
    ("host", Keyword::Host),
    ("hostaddr", Keyword::Host),
    ("server", Keyword::Host),
    ("data source", Keyword::Host),
    ("addr", Keyword::Host),
    ("port", Keyword::Port),
    ("user", Keyword::User),
    ("username", Keyword::User),
    ("user id", Keyword::User),
    ("uid", Keyword::User),
    ("dbname", Keyword::Database),
    ("database", Keyword::Database),
    ("initial catalog", Keyword::Database),
];

#[derive(Clone, Copy)]
enum Keyword {
    Host,
    Port,
    User,
    Database,
}

/// The pairs on the password's own line.
fn keywords(before: &str, after: &str) -> Option<Dsn> {
    let before = before.rsplit(['\n', '\r', '"', '`']).next().unwrap_or_default();
    let after = after.split(['\n', '\r', '"', '`']).next().unwrap_or_default();
    let last = before.trim_end_matches(['\'', ' ', '\\']).strip_suffix('=')?.trim_end();
    if !["password", "pwd", "pass"].iter().any(|name| last.to_ascii_lowercase().ends_with(name)) {
        return None;
    }
    let mut dsn = Dsn::default();
    let mut port = None;
    for (name, value) in pairs(before).into_iter().chain(pairs(after)) {
        let known = KEYWORDS.iter().find(|(keyword, _)| name.eq_ignore_ascii_case(keyword));
        match known.map(|(_, keyword)| *keyword) {
            Some(Keyword::Host) => dsn.hosts.extend(value.split(',').filter_map(host)),
            Some(Keyword::Port) => port = value.parse().ok(),
            Some(Keyword::User) => dsn.user = short(&value),
            Some(Keyword::Database) => dsn.database = short(&value),
            None => {}
        }
    }
    dsn.hosts.iter_mut().for_each(|(_, own)| *own = own.or(port));
    (dsn != Dsn::default()).then_some(dsn)
}

/// `name=value`, with blanks or semicolons between.
fn pairs(text: &str) -> Vec<(String, String)> {
    let separator = if text.contains(';') { ';' } else { ' ' };
    let pair = |part: &str| {
        let (name, value) = part.split_once('=')?;
        let name: Cow<'_, str> = if separator == ';' {
            name.trim().into()
        } else {
            name.trim().rsplit([' ', '(', ',', '\'']).next()?.into()
        };
        Some((name.into_owned(), value.trim().trim_matches(['\'', '\\']).to_owned()))
    };
    text.split(separator).filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The connection string around the `@@` in a text.
    fn read(text: &str) -> Option<Dsn> {
        let (before, after) = text.split_once("@@").unwrap();
        let value = "x".repeat(12);
        let text = Secret::new(format!("{before}{value}{after}"));
        Dsn::around(&Around { text, at: before.len()..before.len() + value.len() })
    }

    fn dsn(scheme: &str, user: &str, hosts: &[(&str, Option<u16>)], database: &str) -> Option<Dsn> {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Some(Dsn {
            scheme: text(scheme),
            user: text(user),
            hosts: hosts.iter().map(|(host, port)| ((*host).to_owned(), *port)).collect(),
            database: text(database),
            is_url: true,
        })
    }

    #[test]
    fn urls_say_who_and_where() {
        for (text, expected) in [
            (
                "DB=postgres://app:@@@db.example:5433/kosmos?sslmode=x\n",
                dsn("postgres", "app", &[("db.example", Some(5433))], "kosmos"),
            ),
            ("\"jdbc:mysql://app:@@@DB/kosmos\"", dsn("mysql", "app", &[("db", None)], "kosmos")),
            ("x='postgresql+psycopg2://a%40b:@@@h'", dsn("postgresql", "a@b", &[("h", None)], "")),
            ("redis://:@@@cache:6379/0", dsn("redis", "", &[("cache", Some(6379))], "0")),
            ("postgres:\\/\\/u:@@@[::1]:5432\\/d", dsn("postgres", "u", &[("::1", Some(5432))], "")),
            ("nats://u:@@@a:4222,b:4223", dsn("nats", "u", &[("a", Some(4222)), ("b", Some(4223))], "")),
            ("postgres://u:@@@evil.example:99999/d", dsn("postgres", "u", &[], "d")),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn other_forms_say_it_too() {
        let plain = |scheme: &str, user, hosts, database| Dsn {
            is_url: false,
            ..dsn(scheme, user, hosts, database).unwrap()
        };
        for (text, expected) in [
            (
                "\"app:@@@tcp(127.0.0.1:3306)/kosmos?x=1\"",
                plain("mysql", "app", &[("127.0.0.1", Some(3306))], "kosmos"),
            ),
            (
                "dsn = 'host=db port=5433 user=app password=@@ dbname=kosmos'",
                plain("", "app", &[("db", Some(5433))], "kosmos"),
            ),
            (
                "\"Server=db.example;User Id=app;Password=@@;Database=kosmos\"",
                plain("", "app", &[("db.example", None)], "kosmos"),
            ),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
        for text in ["POSTGRES_PASSWORD=@@\n", "@@", "token: @@ user=x", "://:@@@"] {
            assert_eq!(read(text).map(|dsn| dsn.hosts), None, "{text}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_decoded() {
        let dsn = read("redis://:@@@h").unwrap();
        let escaped = "a%2Fb%3D";
        assert_eq!(dsn.password(&Secret::new(escaped)).expose(), b"a/b=");
    }
}
