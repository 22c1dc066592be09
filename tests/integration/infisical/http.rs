//! As much of HTTP as the test server and the test's own sender need: one request and one answer per connection.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

use hekate::{
    model::Secret,
    net::{Answer, Failure, Request, Send},
};
use serde_json::Value;

/// No peer of a test is silent for so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: String,
    /// Its path without the query, in parts, decoded.
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A text of the body.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        self.json()[name].as_str().map(str::to_owned)
    }

    /// `GET /api/status`.
    pub(crate) fn line(&self) -> String {
        format!("{} /{}", self.method, self.path.join("/"))
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type".into(), "application/json; charset=utf-8".into())];
        Self { status, headers, body: body.to_string() }
    }

    pub(crate) fn html(status: u16) -> Self {
        let headers = vec![("content-type".into(), "text/html".into())];
        Self { status, headers, body: "<html><body>The proxy's own page</body></html>".into() }
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }
}

/// Reads one request.
pub(crate) fn receive(stream: &TcpStream) -> io::Result<Received> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream);
    let first = line(&mut reader)?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let headers = headers(&mut reader)?;
    let mut received = Received { method, path: Vec::new(), query: Vec::new(), headers, body: Vec::new() };
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    received.path = path.split('/').skip(1).map(decoded).collect();
    received.query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let length = received.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    received.body = vec![0; length];
    reader.read_exact(&mut received.body)?;
    Ok(received)
}

/// Writes one answer and ends the connection.
pub(crate) fn reply(mut stream: &TcpStream, reply: &Reply) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Answer\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", reply.body.len()));
    stream.write_all(head.as_bytes())?;
    stream.write_all(reply.body.as_bytes())
}

fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

fn headers(reader: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let line = line(reader)?;
        let Some((name, value)) = line.split_once(':') else { return Ok(headers) };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

/// Sends without TLS, once, and reads all that comes.
pub(crate) struct PlainSender;

impl Send for PlainSender {
    fn send(&self, request: &Request) -> Result<Answer, Failure> {
        let host = request.origin.trim_start_matches("http://").to_owned();
        let connect = |error: io::Error| Failure::Connect { host: host.clone(), why: error.to_string() };
        let stream = TcpStream::connect(&host).map_err(connect)?;
        exchange(&stream, &host, request).map_err(|error| Failure::Broken { host, why: error.to_string() })
    }
}

fn exchange(mut stream: &TcpStream, host: &str, request: &Request) -> io::Result<Answer> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let text = |secret: Secret| String::from_utf8_lossy(secret.expose()).into_owned();
    let mut head =
        format!("{} {} HTTP/1.1\r\nhost: {host}\r\n", request.method.as_str(), text(request.path.expose()));
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {}\r\n", text(value.expose())));
    }
    let body = request.body.as_ref().map(|body| body.expose().expose().to_vec()).unwrap_or_default();
    head.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)?;
    let mut reader = BufReader::new(stream);
    let first = line(&mut reader)?;
    let status =
        first.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    let headers = headers(&mut reader)?;
    let mut body = Vec::new();
    reader.read_to_end(&mut body)?;
    Ok(Answer { status, headers, body: Secret::new(body) })
}
