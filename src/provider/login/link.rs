//! The connection to a server: in clear or in TLS, and what may be told on it.

use std::io::{self, Read, Write};

use rustls::{ClientConnection, StreamOwned};

use super::{
    tls::{self, Tls},
    wire::{Stream, Trouble, Wire},
};

/// What a password in some form may be told to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is, or so that whoever reads it can log in or find it out quickly; and the server proves nothing.
    Bare,
    /// The same, where the server chose the method against what it could have: nothing but verified TLS excuses it.
    Outdated,
}

/// A connection, read and written alike whether in TLS or not.
pub(super) struct Link<S: Stream> {
    channel: Channel<S>,
    is_near: bool,
}

enum Channel<S: Stream> {
    Clear(Wire<S>),
    Tls { stream: Box<StreamOwned<ClientConnection, Wire<S>>>, is_verified: bool },
}

impl<S: Stream> Link<S> {
    /// A connection in clear. `is_near`: it leads to this machine or a private network.
    pub(super) fn new(wire: Wire<S>, is_near: bool) -> Self {
        Self { channel: Channel::Clear(wire), is_near }
    }

    /// Goes on in TLS. What is not verified is an error, unless the target takes TLS as it comes.
    pub(super) fn upgrade(self, tls: &Tls, host: &str) -> Result<Self, Trouble> {
        let Channel::Clear(wire) = self.channel else {
            return Err(Trouble::stop("TLS within TLS is not spoken"));
        };
        let (stream, is_verified) = tls::shake_hands(wire, tls, host)?;
        Ok(Self { channel: Channel::Tls { stream: Box::new(stream), is_verified }, ..self })
    }

    /// Whether the channel is encrypted, to whomever.
    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self.channel, Channel::Tls { .. })
    }

    /// Whether a password may be told in this form.
    pub(super) fn may_tell(&self, form: Form, tls: &Tls) -> Result<(), Trouble> {
        if matches!(self.channel, Channel::Tls { is_verified: true, .. }) {
            return Ok(());
        }
        match form {
            Form::Bare if self.is_near || matches!(tls, Tls::Off) => Ok(()),
            Form::Bare => Err(Trouble::stop(
                "the password would cross a public network without verified TLS; set tls = \"required\" for the host, or \"off\" if that is meant",
            )),
            Form::Outdated => Err(Trouble::stop(
                "the server asks for the password in clear text or MD5 without verified TLS; it was not answered",
            )),
        }
    }

    /// Sends all of it.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.write_all(bytes)?;
        Ok(self.flush()?)
    }

    /// The next bytes, as many as asked for.
    pub(super) fn receive(&mut self, count: usize) -> Result<Vec<u8>, Trouble> {
        let mut bytes = vec![0; count];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// The next line without its end, of at most `cap` bytes.
    pub(super) fn receive_line(&mut self, cap: usize) -> Result<Vec<u8>, Trouble> {
        let mut line = Vec::new();
        let mut byte = [0];
        while line.len() <= cap {
            self.read_exact(&mut byte)?;
            if byte[0] == b'\n' {
                line.pop_if(|last| *last == b'\r');
                return Ok(line);
            }
            line.push(byte[0]);
        }
        Err(Trouble::TooLong)
    }

    /// Says goodbye. The answer is known by then, and the connection ends either way, so that it does not matter if nobody hears it.
    pub(super) fn leave(mut self, goodbye: &[u8]) {
        self.send(goodbye).unwrap_or_default();
    }
}

impl<S: Stream> Read for Link<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.channel {
            Channel::Clear(wire) => wire.read(buffer),
            Channel::Tls { stream, .. } => stream.read(buffer),
        }
    }
}

impl<S: Stream> Write for Link<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.channel {
            Channel::Clear(wire) => wire.write(bytes),
            Channel::Tls { stream, .. } => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.channel {
            Channel::Clear(wire) => wire.flush(),
            Channel::Tls { stream, .. } => stream.flush(),
        }
    }
}
