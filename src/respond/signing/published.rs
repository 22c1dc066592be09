//! Whether a public key is published, so that everybody who verifies knows it.

use url::Url;

use crate::{
    net::{Request, Send},
    provider::offline::{Listed, PublicKey},
    respond::target::Accepts,
};

/// Whether the JWKS at an address lists a public key: whoever verifies tokens by that document accepts what the key signs. Where the document
/// can't be had or read, or lists keys that can't be compared, nobody can tell.
pub fn published(send: &dyn Send, jwks_url: &str, public: &PublicKey) -> Accepts {
    match listed(send, jwks_url).map(|listed| listed.lists(public)) {
        Ok(Some(true)) => Accepts::Yes,
        Ok(Some(false)) => Accepts::No,
        Ok(None) => Accepts::Unknown(format!("{jwks_url} lists keys that can't be compared with it")),
        Err(why) => Accepts::Unknown(why),
    }
}

fn listed(send: &dyn Send, jwks_url: &str) -> Result<Listed, String> {
    let request = request(jwks_url)?;
    let answer = send.send(&request).map_err(|failure| failure.to_string())?;
    if answer.status != 200 {
        return Err(format!("{jwks_url} answers {}", answer.status));
    }
    Listed::jwks(answer.body.expose()).map_err(|error| format!("{jwks_url}: {error}"))
}

fn request(jwks_url: &str) -> Result<Request, String> {
    let url = Url::parse(jwks_url).map_err(|error| format!("`jwks_url` is no address: {error}"))?;
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    Ok(Request::get(url.origin().ascii_serialization(), path).header("accept", "application/json"))
}
