//! PEM as it stands in files, variables and manifests: with line breaks, with `\n` for them, or whole in base64.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::model::Secret;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One block: what it says it is, and its DER.
pub(crate) struct Block {
    pub(crate) label: String,
    /// Nothing if the block is encrypted by its own headers, or is no base64.
    pub(crate) der: Option<Secret>,
    pub(crate) is_encrypted: bool,
}

/// The blocks of a text, or of the text that it is the base64 of. No block is no error.
pub(crate) fn blocks(text: &[u8]) -> Vec<Block> {
    if find(text, BEGIN).is_some() {
        return blocks_of_pem(text);
    }
    match decode(text) {
        Some(inner) if find(inner.expose(), BEGIN).is_some() => blocks_of_pem(inner.expose()),
        _ => Vec::new(),
    }
}

fn blocks_of_pem(text: &[u8]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((block, after)) = next_block(rest) {
        blocks.push(block);
        rest = after;
    }
    blocks
}

fn next_block(text: &[u8]) -> Option<(Block, &[u8])> {
    let text = &text[find(text, BEGIN)? + BEGIN.len()..];
    let label = &text[..find(text, DASHES)?];
    let body = &text[label.len() + DASHES.len()..];
    let end = find(body, END)?;
    let (body, rest) = (&body[..end], &body[end + END.len()..]);
    let label = std::str::from_utf8(label).ok()?.to_owned();
    // RFC 1421 headers, as OpenSSL's old encryption writes them.
    let is_encrypted = find(body, b"ENCRYPTED").is_some();
    Some((Block { label, der: decode(body), is_encrypted }, rest))
}

/// Base64 with white space in it, or `\n`, `\r` and `\t` as they are escaped in JSON, YAML and dotenv files.
pub(crate) fn decode(text: &[u8]) -> Option<Secret> {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next_if(|next| matches!(next, b'n' | b'r' | b't'))),
            byte if byte.is_ascii_whitespace() => {}
            byte => plain.push(byte),
        }
    }
    let plain = Secret::new(plain);
    // With room for all of it, so that growing leaves no copy behind.
    let mut der = Vec::with_capacity(plain.len());
    BASE64.decode_vec(plain.expose(), &mut der).ok()?;
    (!der.is_empty()).then(|| Secret::new(der))
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, needle)
}
