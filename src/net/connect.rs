//! Connections of the HTTP library, made at addresses that were checked, in TLS that trusts whom we say.

use std::{
    fmt,
    io::{Read, Write},
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConfig, ClientConnection, StreamOwned, pki_types::ServerName};
use ureq::{
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{ResolvedSocketAddrs, Resolver},
        transport::{
            Buffers, ConnectProxyConnector, ConnectionDetails, Connector, LazyBuffers, NextTimeout,
            TcpConnector, Transport, TransportAdapter,
        },
    },
};

use super::{
    AddressPolicy, Failure,
    address::{late, normal, printable},
    tls::said_of,
};

/// The library keeps no more.
const MOST_ADDRESSES: usize = 16;

/// Finds the addresses of a host, and checks each.
#[derive(Debug)]
pub(super) struct CheckedResolver {
    pub(super) policy: AddressPolicy,
    pub(super) timeout: Duration,
}

impl Resolver for CheckedResolver {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default();
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
        let found = self.policy.resolve_within(host, port, self.timeout);
        let mut addresses = self.empty();
        for address in found.map_err(carried)?.into_iter().take(MOST_ADDRESSES) {
            addresses.push(address);
        }
        Ok(addresses)
    }
}

/// Our failure, through the library and out again.
fn carried(failure: Failure) -> ureq::Error {
    ureq::Error::Other(Box::new(failure))
}

/// How TLS begins.
#[derive(Clone)]
pub(super) struct Handshake {
    pub(super) config: Arc<ClientConfig>,
    /// What the certificate is for, where that is not the host.
    pub(super) server_name: Option<String>,
}

/// Opens connections. Whatever fails in it failed before anything of a request was sent.
pub(super) struct Opener {
    pub(super) tls: Handshake,
    pub(super) timeout: Duration,
    pub(super) proxy: ConnectProxyConnector,
    pub(super) tcp: TcpConnector,
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener")
    }
}

impl Connector for Opener {
    type Out = Box<dyn Transport>;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<Self::Out>, ureq::Error> {
        self.open(details).map(Some).map_err(|error| carried(self.explain(details, error)))
    }
}

impl Opener {
    fn open(&self, details: &ConnectionDetails) -> Result<Box<dyn Transport>, ureq::Error> {
        let tunnel = self.proxy.connect(details, None::<()>)?;
        let Some(transport) = self.tcp.connect(details, tunnel)? else {
            return Err(ureq::Error::ConnectionFailed);
        };
        if !details.needs_tls() {
            return Ok(Box::new(transport));
        }
        let host = match &self.tls.server_name {
            Some(name) => name.clone(),
            None => normal(details.uri.host().unwrap_or_default()),
        };
        let name = ServerName::try_from(host).map_err(|_| ureq::Error::HostNotFound)?;
        let mut connection = ClientConnection::new(Arc::clone(&self.tls.config), name)?;
        let mut socket =
            TransportAdapter::new(Box::new(transport) as Box<dyn Transport>, details.current_time.clone());
        socket.set_timeout(details.timeout);
        connection.complete_io(&mut socket)?;
        let buffers =
            LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Box::new(TlsTransport { buffers, stream: StreamOwned::new(connection, socket) }))
    }

    fn explain(&self, details: &ConnectionDetails, error: ureq::Error) -> Failure {
        let host = printable(&normal(details.uri.host().unwrap_or_default()));
        let why = match error {
            ureq::Error::Other(other) => match other.downcast::<Failure>() {
                Ok(ours) => return *ours,
                Err(_) => "the connection failed".to_owned(),
            },
            ureq::Error::Timeout(_) => return late(&host, self.timeout),
            ureq::Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref()) {
                Some(tls) => said_of(tls),
                None => error.kind().to_string(),
            },
            ureq::Error::Rustls(error) => said_of(&error),
            // Its text may be the proxy's own.
            ureq::Error::ConnectProxyFailed(_) => "the proxy refused the connection".to_owned(),
            _ => "the connection failed".to_owned(),
        };
        Failure::Connect { host, why }
    }
}

/// A connection in TLS.
struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsTransport")
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.sock.set_timeout(timeout);
        let output = &self.buffers.output()[..amount];
        self.stream.write_all(output)?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.sock.set_timeout(timeout);
        let input = self.buffers.input_append_buf();
        let amount = self.stream.read(input)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
