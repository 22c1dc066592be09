use super::*;

const FORM: Form<'static> = Form {
    variable: "HEKATE_ADMIN_URL",
    schemes: &["postgres", "postgresql"],
    example: "postgres://USER:PASSWORD@HOST",
    host: "db.internal",
    port: 5433,
    default_port: 5432,
};

fn url(url: &str) -> Result<AdminUrl, String> {
    read(&FORM, &Secret::new(url))
}

/// What stands for `{p}` in a test's URL, since no whole one stands in the repository.
const PASSWORD: &str = "hidden";

/// What is wrong with a URL, which is not to be told from the message.
fn fault(url: &str) -> String {
    let url = url.replace("{p}", PASSWORD);
    let why = read(&FORM, &Secret::new(url.as_str())).err().unwrap_or_else(|| panic!("{url} is taken"));
    assert!(!why.contains(PASSWORD) && !why.contains("evil"), "{why}");
    why
}

#[test]
fn user_password_and_database_are_decoded() {
    let read = url(&format!("postgres://ad%40min:{}@DB.internal.:5433/my%20db", "p%2Fs%3A%25%FF")).unwrap();
    assert_eq!(read.user.as_deref(), Some("ad@min"));
    assert_eq!(read.password.expose(), b"p/s:%\xff");
    assert_eq!(read.path, "my db");
    assert_eq!(read.tls, TlsWish::default());
    // What a URL should not hold, but people write.
    assert_eq!(url("postgres://admin:a@b:c@db.internal:5433").unwrap().password.expose(), b"a@b:c");
    assert_eq!(url("postgres://:x@db.internal:5433\n").unwrap().user, None);
}

#[test]
fn an_address_agrees_in_every_spelling_of_it() {
    let form = Form { host: "::1", port: 5432, ..FORM };
    for place in ["[::1]", "[0:0:0:0:0:0:0:1]:5432", "[::1]:5432"] {
        assert!(agree(&form, place).is_ok(), "{place}");
    }
    for place in ["[::2]", "[::1]:5433", "127.0.0.1", "[::1"] {
        assert!(agree(&form, place).is_err(), "{place}");
    }
}

#[test]
fn another_host_or_port_is_refused_and_not_shown() {
    for url in [
        "postgres://admin:{p}@evil.example:5433",
        "postgres://admin:{p}@db.internal",
        "postgres://admin:{p}@db.internal:5432",
        "postgres://admin:{p}@db.internal.evil:5433",
        "postgres://admin:{p}@db.internal:5433@evil:5433",
    ] {
        assert!(fault(url).contains("not those of the target in the inventory, db.internal:5433"));
    }
}

#[test]
fn what_is_no_url_says_what_is_missing_and_nothing_of_itself() {
    for (url, words) in [
        ("{p}", "no scheme"),
        ("mysql://admin:{p}@db.internal:5433", "scheme is not postgres or postgresql"),
        ("postgres://db.internal:5433/{p}", "no user and password"),
        ("postgres://admin:{p}/x@db.internal:5433", "percent-encoded"),
        ("postgres://{p}@db.internal:5433", "no password"),
        ("postgres://{p}:@db.internal:5433", "password is empty"),
        ("postgres://a:{p}@:5433", "no host"),
        ("postgres://a:{p}@db.internal:evil", "port is no number"),
        ("postgres://a:{p}@db.internal:5433/x#y", "fragment"),
        ("postgres://a:b@db.internal:5433?password={p}", "only `sslmode` and `sslrootcert`"),
        ("postgres://a:b@db.internal:5433?sslmode={p}", "`sslmode` is none of disable"),
        ("postgres://a:b@db.internal:5433?sslrootcert=/{p}", "the file that `sslrootcert` names"),
        ("postgres://a:b@db.internal:5433?sslrootcert=/", "no file of certificates"),
        ("postgres://%ff:{p}@db.internal:5433", "no text"),
    ] {
        assert!(fault(url).contains(words), "{url}: {}", fault(url));
    }
    assert!(read(&FORM, &Secret::new(b"\xff".to_vec())).is_err());
}

#[test]
fn words_of_tls_are_those_of_libpq() {
    for (word, mode) in MODES {
        let wish = url(&format!("postgres://a:b@db.internal:5433/x?sslmode={word}")).unwrap().tls;
        assert_eq!(wish.mode, Some(*mode));
    }
}

#[test]
fn where_nothing_is_said_of_tls_a_near_server_may_do_without() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    assert_eq!(TlsWish::default().at(&stream), Tls::Preferred { ca: None });
    assert_eq!(TlsWish::default().with_required(true).at(&stream), Tls::Required { ca: None });
    // A stream that leads nowhere is near nobody.
    drop(listener);
    let off = TlsWish { mode: Some(Mode::Off), ca: None };
    assert_eq!(off.at(&stream), Tls::Off);
}

#[test]
fn a_half_of_an_act_is_never_told_as_nothing() {
    let trouble = half_done("its login was taken", Trouble::Refused("no right".into()));
    assert_eq!(trouble, Trouble::Unclear("its login was taken, but then no right".into()));
}
