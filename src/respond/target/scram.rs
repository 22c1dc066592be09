//! The verifier of a password, as PostgreSQL keeps it: made here, so that the server is never told the password.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::model::Secret;

/// Rounds where the server names no other number, and the fewest that are done.
const ROUNDS: u32 = 4096;
/// The most: clients refuse more, this one included.
const MOST_ROUNDS: u32 = 100_000;

/// `SCRAM-SHA-256$rounds:salt$StoredKey:ServerKey` of RFC 5803, with a random salt. `rounds` is the server's `scram_iterations`, if it has one.
///
/// # Errors
/// A password that PostgreSQL does not take, or no random bytes.
pub(super) fn verifier(password: &Secret, rounds: Option<u32>) -> Result<Secret, String> {
    if password.is_empty() || password.expose().contains(&0) {
        return Err("PostgreSQL takes no password that is empty or holds a NUL".into());
    }
    // What is not ASCII goes through SASLprep, which that crate does, and its rounds are the default's.
    if !password.expose().is_ascii() {
        return Ok(Secret::new(postgres_protocol::password::scram_sha_256(password.expose())));
    }
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|_| "the system gives no random bytes".to_owned())?;
    Ok(with_salt(password, rounds.unwrap_or(ROUNDS).clamp(ROUNDS, MOST_ROUNDS), &salt))
}

fn with_salt(password: &Secret, rounds: u32, salt: &[u8]) -> Secret {
    let salted = salted(password, rounds, salt);
    let stored = Sha256::digest(keyed(salted.expose(), b"Client Key").expose());
    let server = keyed(salted.expose(), b"Server Key");
    Secret::new(format!(
        "SCRAM-SHA-256${rounds}:{}${}:{}",
        BASE64_STANDARD.encode(salt),
        BASE64_STANDARD.encode(stored),
        BASE64_STANDARD.encode(server.expose())
    ))
}

/// `Hi` of RFC 5802: PBKDF2 with one block.
fn salted(password: &Secret, rounds: u32, salt: &[u8]) -> Secret {
    let key = mac(password.expose());
    let mut last = sign(&key, &[salt, &1_u32.to_be_bytes()].concat());
    let mut sum = last;
    for _ in 1..rounds {
        last = sign(&key, &last);
        sum.iter_mut().zip(last).for_each(|(sum, byte)| *sum ^= byte);
    }
    Secret::new(sum)
}

fn mac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn sign(key: &Hmac<Sha256>, message: &[u8]) -> [u8; 32] {
    key.clone().chain_update(message).finalize().into_bytes().into()
}

fn keyed(key: &[u8], message: &[u8]) -> Secret {
    Secret::new(sign(&mac(key), message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_gives_its_keys() {
        // RFC 7677, section 3: the client's proof and the server's signature follow from these two keys.
        let of_the_rfc = "W22ZaJ0SNY7soEsUEjb6gQ==";
        let salt = BASE64_STANDARD.decode(of_the_rfc).unwrap();
        let salted = salted(&Secret::new("pencil"), 4096, &salt);
        let messages = "n=user,r=rOprNGfwEbeRWgbNEkqO,\
            r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
            c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let server = keyed(salted.expose(), b"Server Key");
        let signature = BASE64_STANDARD.encode(keyed(server.expose(), messages.as_bytes()).expose());
        assert_eq!(signature, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        let client = keyed(salted.expose(), b"Client Key");
        let signature = keyed(&Sha256::digest(client.expose()), messages.as_bytes());
        let proof: Vec<u8> = client.expose().iter().zip(signature.expose()).map(|(a, b)| a ^ b).collect();
        assert_eq!(BASE64_STANDARD.encode(proof), "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    }

    #[test]
    fn every_verifier_has_its_own_salt_and_nothing_that_a_literal_could_end_at() {
        let password = Secret::new("correct horse");
        let [one, other] = [0, 1].map(|_| verifier(&password, None).unwrap());
        assert_ne!(one, other);
        let text = String::from_utf8(one.expose().to_vec()).unwrap();
        assert!(text.starts_with("SCRAM-SHA-256$4096:"));
        assert!(!text.contains(['\'', '\\', '"']));
    }

    #[test]
    fn rounds_are_the_servers_within_what_clients_take() {
        let rounds = |asked| {
            let text = verifier(&Secret::new("pencil"), asked).unwrap();
            String::from_utf8_lossy(&text.expose()[14..]).split(':').next().unwrap().to_owned()
        };
        for (asked, done) in
            [(None, "4096"), (Some(1), "4096"), (Some(10_000), "10000"), (Some(u32::MAX), "100000")]
        {
            assert_eq!(rounds(asked), done);
        }
    }

    #[test]
    fn what_is_no_password_gets_none() {
        assert!(verifier(&Secret::new(""), None).is_err());
        assert!(verifier(&Secret::new("a\0b"), None).is_err());
        assert!(verifier(&Secret::new("pässwörd"), None).is_ok());
    }
}
