//! Which addresses may be connected to, and the connection to one that was checked.

use std::{
    collections::BTreeSet,
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use super::Failure;

/// No name is longer, by RFC 1035.
const LONGEST_HOST: usize = 253;

/// Which hosts may lie where not everybody can reach them. By default none: only public addresses are connected to.
#[derive(Debug, Clone, Default)]
pub struct AddressPolicy {
    /// As [`normal`] writes them.
    allowed: BTreeSet<String>,
}

impl AddressPolicy {
    /// Public addresses, and for these hosts (names or addresses, as trusted config has them) also private ones.
    pub fn allowing<I>(hosts: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Self { allowed: hosts.into_iter().map(|host| normal(host.as_ref())).collect() }
    }

    /// The addresses of a host, each of them checked. Whoever connects must connect to one of these, and not resolve the name again.
    ///
    /// A name of which one address is forbidden is refused as a whole: it leads inside, or somebody wants it to look so.
    ///
    /// # Errors
    /// [`Failure::Refused`] for a forbidden address, [`Failure::Connect`] for a name that has none, or where finding out takes too long.
    pub fn resolve_within(
        &self,
        host: &str,
        port: u16,
        timeout: Duration,
    ) -> Result<Vec<SocketAddr>, Failure> {
        let name = normal(host);
        if name.is_empty() || name.len() > LONGEST_HOST || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::Connect { host: printable(host), why: "it is no host name".into() });
        }
        let addresses = look_up(&name, port, timeout)?;
        addresses.iter().try_for_each(|address| self.check(&name, address.ip()))?;
        Ok(addresses)
    }

    /// As [`AddressPolicy::resolve_within`], within 10 seconds.
    ///
    /// # Errors
    /// The same.
    pub fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
        self.resolve_within(host, port, Duration::from_secs(10))
    }

    /// Whether `host`, in [`normal`] form, may be reached at an address.
    pub(super) fn check(&self, host: &str, address: IpAddr) -> Result<(), Failure> {
        let reach = Reach::of(address);
        let (may_be_allowed, what) = match reach {
            Reach::Public => return Ok(()),
            Reach::Loopback => (true, "a loopback address"),
            Reach::Private => (true, "a private address"),
            // Clouds hand out credentials there. No name gets to it: only who writes the address means it.
            Reach::LinkLocal => (host.parse() == Ok(address), "a link-local address"),
            Reach::Never => (false, "an address that no host has"),
        };
        if may_be_allowed && self.allowed.contains(host) {
            return Ok(());
        }
        let advice = match reach {
            Reach::Never => "",
            _ => "; if that is meant, name the host in `allow-private` of [verify] in your own config",
        };
        Err(Failure::Refused { host: host.to_owned(), why: format!("it is at {address}, {what}{advice}") })
    }
}

/// Connects to a host, at an address that was checked. All of it, the look-up too, takes no longer than `timeout`.
///
/// # Errors
/// As [`AddressPolicy::resolve_within`], and what the system said of the last address tried.
pub fn dial(host: &str, port: u16, policy: &AddressPolicy, timeout: Duration) -> Result<TcpStream, Failure> {
    let until = Instant::now() + timeout;
    let addresses = policy.resolve_within(host, port, timeout)?;
    let mut failure = late(host, timeout);
    for address in addresses {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == ErrorKind::TimedOut => {}
            Err(error) => {
                failure = Failure::Connect { host: printable(host), why: error.kind().to_string() };
            }
        }
    }
    Err(failure)
}

/// One form of a host: lower case, no brackets around an address, which has one spelling, no dot at the end of a name.
pub(super) fn normal(host: &str) -> String {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => bare.strip_suffix('.').unwrap_or(bare).to_ascii_lowercase(),
    }
}

/// What errors call a host that may be anything.
pub(super) fn printable(host: &str) -> String {
    host.chars().take(LONGEST_HOST).flat_map(char::escape_default).collect()
}

/// That there is no connection in time. Nothing was sent, so it is no [`Failure::Timeout`].
pub(super) fn late(host: &str, timeout: Duration) -> Failure {
    let why = format!("no connection within {:.1} s", timeout.as_secs_f64());
    Failure::Connect { host: printable(host), why }
}

fn look_up(name: &str, port: u16, timeout: Duration) -> Result<Vec<SocketAddr>, Failure> {
    let fail = |why: String| Failure::Connect { host: name.to_owned(), why };
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (answer, answers) = mpsc::channel();
    let asked = (name.to_owned(), port);
    // The system's own look-up can't be told to stop. What takes too long ends by itself, and nobody hears it.
    let spawned = thread::Builder::new().name("look-up".into()).spawn(move || {
        let found = asked.to_socket_addrs().map(Iterator::collect::<Vec<_>>);
        drop(answer.send(found));
    });
    spawned.map_err(|error| fail(error.kind().to_string()))?;
    match answers.recv_timeout(timeout) {
        Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Ok(Ok(_)) => Err(fail("the name has no address".into())),
        // The system's words differ by machine, and say no more.
        Ok(Err(_)) => Err(fail("the name can't be resolved".into())),
        Err(RecvTimeoutError::Timeout) => Err(late(name, timeout)),
        Err(RecvTimeoutError::Disconnected) => Err(fail("the look-up failed".into())),
    }
}

/// Who can reach an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Everybody.
    Public,
    /// This machine.
    Loopback,
    /// This network: also shared (CGNAT), unique-local and benchmarking ones.
    Private,
    /// This link.
    LinkLocal,
    /// Nobody: it names no host, or many, or is kept for documents.
    Never,
}

/// IANA's special-purpose registry of IPv4; what is in no row is public.
const V4: &[(Ipv4Addr, u32, Reach)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, Reach::Never),
    (Ipv4Addr::new(10, 0, 0, 0), 8, Reach::Private),
    (Ipv4Addr::new(100, 64, 0, 0), 10, Reach::Private),
    (Ipv4Addr::new(127, 0, 0, 0), 8, Reach::Loopback),
    (Ipv4Addr::new(169, 254, 0, 0), 16, Reach::LinkLocal),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Reach::Private),
    (Ipv4Addr::new(192, 0, 0, 0), 24, Reach::Never),
    (Ipv4Addr::new(192, 0, 2, 0), 24, Reach::Never),
    (Ipv4Addr::new(192, 88, 99, 0), 24, Reach::Never),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Reach::Private),
    (Ipv4Addr::new(198, 18, 0, 0), 15, Reach::Private),
    (Ipv4Addr::new(198, 51, 100, 0), 24, Reach::Never),
    (Ipv4Addr::new(203, 0, 113, 0), 24, Reach::Never),
    (Ipv4Addr::new(224, 0, 0, 0), 4, Reach::Never),
    (Ipv4Addr::new(240, 0, 0, 0), 4, Reach::Never),
];

/// What an IPv6 prefix says.
#[derive(Debug, Clone, Copy)]
enum Meaning {
    Is(Reach),
    /// An IPv4 address stands in it, so many bits from the right; that one counts.
    Holds(u32),
}

/// IANA's special-purpose registry of IPv6; the first row that fits counts, and what fits none belongs to nobody yet.
const V6: &[(Ipv6Addr, u32, Meaning)] = &[
    (Ipv6Addr::LOCALHOST, 128, Meaning::Is(Reach::Loopback)),
    // IPv4-mapped.
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96, Meaning::Holds(0)),
    // NAT64, RFC 6052; where a network has its own prefix (RFC 8215), the place of the address in it differs.
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96, Meaning::Holds(0)),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, Meaning::Is(Reach::Private)),
    // Teredo, benchmarking, ORCHID and the like, then documents.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, Meaning::Is(Reach::Never)),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, Meaning::Is(Reach::Never)),
    // 6to4.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, Meaning::Holds(80)),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, Meaning::Is(Reach::Never)),
    (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3, Meaning::Is(Reach::Public)),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, Meaning::Is(Reach::Private)),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, Meaning::Is(Reach::LinkLocal)),
    // Site-local, deprecated by RFC 3879 and still in use.
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, Meaning::Is(Reach::Private)),
];

impl Reach {
    fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        let shares = |prefix: Ipv4Addr, bits: u32| (address.to_bits() ^ prefix.to_bits()) >> (32 - bits) == 0;
        V4.iter()
            .find(|(prefix, bits, _)| shares(*prefix, *bits))
            .map_or(Self::Public, |(_, _, reach)| *reach)
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        let shares =
            |prefix: Ipv6Addr, bits: u32| (address.to_bits() ^ prefix.to_bits()) >> (128 - bits) == 0;
        match V6.iter().find(|(prefix, bits, _)| shares(*prefix, *bits)) {
            Some((_, _, Meaning::Is(reach))) => *reach,
            Some((_, _, Meaning::Holds(shift))) => {
                let low = u32::try_from((address.to_bits() >> shift) & u128::from(u32::MAX));
                Self::of_v4(Ipv4Addr::from_bits(low.expect("32 bits are a u32")))
            }
            None => Self::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn addresses_are_told_apart_by_who_can_reach_them() {
        for (address, reach) in [
            ("8.8.8.8", Reach::Public),
            ("172.15.255.255", Reach::Public),
            ("172.16.0.1", Reach::Private),
            ("172.31.255.255", Reach::Private),
            ("172.32.0.0", Reach::Public),
            ("10.1.2.3", Reach::Private),
            ("192.168.1.1", Reach::Private),
            ("100.64.0.1", Reach::Private),
            ("100.128.0.1", Reach::Public),
            ("198.19.0.1", Reach::Private),
            ("127.0.0.1", Reach::Loopback),
            ("127.255.255.254", Reach::Loopback),
            ("169.254.169.254", Reach::LinkLocal),
            ("0.0.0.0", Reach::Never),
            ("192.0.2.1", Reach::Never),
            ("198.51.100.7", Reach::Never),
            ("203.0.113.7", Reach::Never),
            ("224.0.0.1", Reach::Never),
            ("255.255.255.255", Reach::Never),
            ("2606:4700:4700::1111", Reach::Public),
            ("::1", Reach::Loopback),
            ("::", Reach::Never),
            ("::7f00:1", Reach::Never),
            ("::ffff:127.0.0.1", Reach::Loopback),
            ("::ffff:10.0.0.1", Reach::Private),
            ("::ffff:8.8.8.8", Reach::Public),
            ("64:ff9b::7f00:1", Reach::Loopback),
            ("64:ff9b::a9fe:a9fe", Reach::LinkLocal),
            ("64:ff9b::808:808", Reach::Public),
            ("64:ff9b:1::808:808", Reach::Private),
            ("2002:7f00:1::1", Reach::Loopback),
            ("2002:c0a8:101::1", Reach::Private),
            ("2002:808:808::1", Reach::Public),
            ("2001::1", Reach::Never),
            ("2001:db8::1", Reach::Never),
            ("3fff::1", Reach::Never),
            ("fd00::1", Reach::Private),
            ("fe80::1", Reach::LinkLocal),
            ("fec0::1", Reach::Private),
            ("ff02::1", Reach::Never),
            ("4000::1", Reach::Never),
        ] {
            assert_eq!(Reach::of(address.parse().unwrap()), reach, "{address}");
        }
    }

    /// Whether a host is refused with nothing allowed, and with itself allowed.
    fn refusals(host: &str) -> (bool, bool) {
        let is_refused = |policy: AddressPolicy| match policy.resolve(host, 443) {
            Err(Failure::Refused { .. }) => true,
            Ok(addresses) => addresses.is_empty(),
            Err(other) => panic!("{host}: {other}"),
        };
        (is_refused(AddressPolicy::default()), is_refused(AddressPolicy::allowing([host])))
    }

    #[test]
    fn inner_hosts_are_refused_unless_they_are_allowed() {
        for host in [
            "127.0.0.1",
            "[::1]",
            "10.0.0.1",
            "::ffff:127.0.0.1",
            "169.254.169.254",
            "localhost",
            "LOCALHOST.",
        ] {
            assert_eq!(refusals(host), (true, false), "{host}");
        }
        for host in ["0.0.0.0", "224.0.0.1", "192.0.2.1"] {
            assert_eq!(refusals(host), (true, true), "{host}");
        }
        assert_eq!(refusals("8.8.8.8"), (false, false));
    }

    /// `inet_aton` knows more forms of an address than Rust does, and so may the system's look-up.
    #[test]
    fn odd_forms_of_loopback_lead_nowhere() {
        for host in ["127.1", "0x7f.1", "2130706433", "017700000001"] {
            assert!(AddressPolicy::default().resolve(host, 443).is_err(), "{host}");
        }
    }

    #[test]
    fn a_name_does_not_get_to_link_local_addresses_even_if_it_is_allowed() {
        let policy = AddressPolicy::allowing(["inner.example", "169.254.169.254"]);
        let metadata = "169.254.169.254".parse().unwrap();
        assert!(matches!(policy.check("inner.example", metadata), Err(Failure::Refused { .. })));
        assert_eq!(policy.check("169.254.169.254", metadata), Ok(()));
    }

    #[test]
    fn what_is_no_host_name_is_not_looked_up() {
        for host in ["", "a b", "a\nb", "ex\u{e4}mple", &"a".repeat(300)] {
            let failure = AddressPolicy::default().resolve(host, 443).unwrap_err();
            assert!(failure.to_string().ends_with("it is no host name"), "{failure}");
            assert!(failure.to_string().chars().all(|c| !c.is_control()));
        }
    }

    #[test]
    fn dialling_reaches_an_allowed_host_only() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let second = Duration::from_secs(1);
        assert!(dial("127.0.0.1", port, &AddressPolicy::allowing(["127.0.0.1"]), second).is_ok());
        let refused = dial("127.0.0.1", port, &AddressPolicy::allowing(["localhost"]), second).unwrap_err();
        assert!(matches!(refused, Failure::Refused { .. }), "{refused}");
    }

    #[test]
    fn a_closed_port_says_so() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let policy = AddressPolicy::allowing(["127.0.0.1"]);
        let failure = dial("127.0.0.1", port, &policy, Duration::from_secs(1)).unwrap_err();
        assert_eq!(failure.to_string(), "connect to 127.0.0.1: connection refused");
    }
}
