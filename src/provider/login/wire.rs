//! Bytes of a server, within a time and a number of them, and what can go wrong on the way.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

/// Why nobody can tell. It is the reason of `unknown`, and holds no word of the server or of the password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    /// The time is over.
    #[error("the server did not answer in time")]
    Timeout,
    /// The server left.
    #[error("the server closed the connection before it said anything about the password")]
    Closed,
    /// The server says too much.
    #[error("the server says more than a login needs")]
    TooLong,
    /// The system's word.
    #[error("the connection broke: {0}")]
    Broken(ErrorKind),
    /// It is something else that listens there.
    #[error("what listens there does not speak as {0} does")]
    Garbage(&'static str),
    /// No TLS, or not with this server.
    #[error("TLS: {0}")]
    Tls(String),
    /// Policy, or a method that is not answered.
    #[error("{0}")]
    Stop(String),
}

impl Trouble {
    /// A reason of its own.
    pub(super) fn stop(why: impl Into<String>) -> Self {
        Self::Stop(why.into())
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Self::Tls(super::tls::in_our_words(error).to_owned());
        }
        match error.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Self::Timeout,
            ErrorKind::FileTooLarge => Self::TooLong,
            ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe => Self::Closed,
            kind => Self::Broken(kind),
        }
    }
}

/// A connection that can be told how long a read or write may block.
pub(super) trait Stream: Read + Write {
    /// From now on no call blocks longer than this, which is not zero.
    fn wait_at_most(&mut self, left: Duration) -> io::Result<()>;
}

impl Stream for TcpStream {
    fn wait_at_most(&mut self, left: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(left))?;
        self.set_write_timeout(Some(left))
    }
}

impl Stream for Box<dyn Stream> {
    fn wait_at_most(&mut self, left: Duration) -> io::Result<()> {
        (**self).wait_at_most(left)
    }
}

/// A stream with a deadline for all that happens on it, and a cap on what is read of it.
pub(super) struct Wire<S> {
    stream: S,
    until: Instant,
    /// What may still be read, in bytes.
    left: usize,
}

impl<S: Stream> Wire<S> {
    pub(super) fn new(stream: S, patience: Duration, cap: usize) -> Self {
        Self { stream, until: Instant::now() + patience, left: cap }
    }

    fn keep_time(&mut self) -> io::Result<()> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        self.stream.wait_at_most(left)
    }
}

impl<S: Stream> Read for Wire<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(ErrorKind::FileTooLarge.into());
        }
        self.keep_time()?;
        let room = buffer.len().min(self.left);
        let count = self.stream.read(&mut buffer[..room])?;
        self.left -= count;
        Ok(count)
    }
}

impl<S: Stream> Write for Wire<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.keep_time()?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.keep_time()?;
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    struct Endless;

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            buffer.fill(b'x');
            Ok(buffer.len())
        }
    }

    impl Write for Endless {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Stream for Endless {
        fn wait_at_most(&mut self, _: Duration) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_more_than_the_cap_is_read() {
        let mut wire = Wire::new(Endless, Duration::from_secs(60), 1000);
        let mut read = Vec::new();
        let error = wire.read_to_end(&mut read).unwrap_err();
        assert_eq!((read.len(), Trouble::from(error)), (1000, Trouble::TooLong));
    }

    #[test]
    fn nothing_is_read_or_written_when_the_time_is_over() {
        let mut wire = Wire::new(Endless, Duration::ZERO, 1000);
        assert_eq!(Trouble::from(wire.read(&mut [0; 8]).unwrap_err()), Trouble::Timeout);
        assert_eq!(Trouble::from(wire.write(&[0; 8]).unwrap_err()), Trouble::Timeout);
    }

    #[test]
    fn a_server_that_says_nothing_is_left_in_time() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut wire = Wire::new(stream, Duration::from_millis(50), 1000);
        assert_eq!(Trouble::from(wire.read(&mut [0; 8]).unwrap_err()), Trouble::Timeout);
    }
}
