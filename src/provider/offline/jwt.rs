//! JSON Web Tokens: expired or not, by what they say of themselves (RFC 7519).

use base64::{
    Engine,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Listed;
use crate::{
    model::{Secret, Verdict},
    provider::Outcome,
};

/// No token that a header can carry is longer, in bytes.
const LONGEST: usize = 64 * 1024;
/// How far clocks may differ, in seconds.
const LEEWAY: f64 = 60.0;

/// With or without padding: some libraries write it.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What matters of the header.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

/// What matters of the payload. Who it is for and about stays in it.
#[derive(Deserialize)]
struct Claims {
    exp: Option<f64>,
    nbf: Option<f64>,
}

/// What a token says of itself. `now` is in seconds since 1970, UTC; `keys` are those that the issuer signs with now, where they are known.
///
/// An expired token is inactive; of one that is not, nobody knows until its issuer is asked. With the issuer's keys, one whose `kid` is not
/// among them is retired: nobody accepts it any more.
pub fn check(token: &Secret, now: u64, keys: Option<&Listed>) -> Outcome {
    match parts(token) {
        Ok((header, claims)) => judge(&header, &claims, now, keys),
        Err(why) => Outcome::unknown(why),
    }
}

/// A claim that is a text, of a token whose signature nobody has checked: good for telling what it is, not for trusting it.
pub fn claim(token: &Secret, name: &str) -> Option<String> {
    if token.len() > LONGEST {
        return None;
    }
    let mut parts = token.expose().split(|byte| *byte == b'.');
    let (_, claims, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    let claims: serde_json::Map<String, serde_json::Value> = decode(claims)?;
    claims.get(name)?.as_str().map(str::to_owned)
}

fn parts(token: &Secret) -> Result<(Header, Claims), &'static str> {
    if token.len() > LONGEST {
        return Err("it is longer than any token");
    }
    let mut parts = token.expose().split(|byte| *byte == b'.');
    let (Some(header), Some(claims), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("it is no JWT: a JWT has three parts");
    };
    let header = decode(header).ok_or("it is no JWT: its first part is no JSON header in base64url")?;
    let claims = decode(claims).ok_or("its second part holds no JSON claims in base64url")?;
    Ok((header, claims))
}

fn decode<T: for<'a> Deserialize<'a>>(part: &[u8]) -> Option<T> {
    let json = Zeroizing::new(BASE64URL.decode(part).ok()?);
    serde_json::from_slice(&json).ok()
}

fn judge(header: &Header, claims: &Claims, now: u64, keys: Option<&Listed>) -> Outcome {
    #[expect(clippy::cast_precision_loss, reason = "a time in seconds is far below 2^53")]
    let now = now as f64;
    if let Some(expired) = claims.exp.filter(|exp| exp + LEEWAY < now) {
        return Outcome::of(Verdict::Inactive).with_detail(format!("expired {}", moment(expired)));
    }
    let expiry = match claims.exp {
        Some(exp) => format!("expires {}", moment(exp)),
        None => "it never expires".to_owned(),
    };
    if header.alg.eq_ignore_ascii_case("none") {
        return Outcome::unknown("it is not signed, so that nobody should accept it").with_detail(expiry);
    }
    if let (Some(kid), Some(keys)) = (&header.kid, keys)
        && !keys.has_kid(kid)
    {
        let why = format!("its issuer lists its signing key no more; {expiry}");
        return Outcome::of(Verdict::Retired).with_detail(why);
    }
    if let Some(start) = claims.nbf.filter(|nbf| nbf - LEEWAY > now) {
        return Outcome::unknown("it is not valid yet").with_detail(format!("valid from {}", moment(start)));
    }
    Outcome::unknown("it has not expired, and nobody was asked").with_detail(expiry)
}

/// A time of a token, as people read it; what no calendar has stays a number.
fn moment(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "a cast from float to integer saturates")]
    let whole = seconds as i64;
    jiff::Timestamp::from_second(whole)
        .map_or_else(|_| format!("at second {whole}"), |moment| moment.to_string())
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn token_of(header: &Value, claims: &Value) -> Secret {
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        Secret::new(format!("{}.{}.{}", part(header), part(claims), BASE64_URL_SAFE_NO_PAD.encode([7; 32])))
    }

    fn token(claims: Value) -> Secret {
        token_of(&json!({"alg": "RS256", "kid": "first"}), &claims)
    }

    #[test]
    fn an_expired_token_is_inactive() {
        let outcome = check(&token(json!({"exp": NOW - 61, "sub": "ada"})), NOW, None);
        assert_eq!(outcome.verdict, Verdict::Inactive);
        assert_eq!(outcome.detail.unwrap(), "expired 2027-01-15T07:58:59Z");
    }

    #[test]
    fn clocks_may_differ_by_a_minute() {
        let outcome = check(&token(json!({"exp": NOW - 60})), NOW, None);
        assert!(matches!(outcome.verdict, Verdict::Unknown(_)));
    }

    #[test]
    fn a_token_that_has_not_expired_is_unknown_with_its_expiry() {
        let outcome =
            check(&token(json!({"exp": NOW + 5, "iss": "https://issuer.example", "sub": "ada"})), NOW, None);
        assert_eq!(outcome.verdict, Verdict::Unknown("it has not expired, and nobody was asked".into()));
        assert_eq!(outcome.detail.unwrap(), "expires 2027-01-15T08:00:05Z");
        assert_eq!(check(&token(json!({})), NOW, None).detail.unwrap(), "it never expires");
    }

    #[test]
    fn a_token_that_is_not_valid_yet_or_not_signed_is_unknown() {
        let early = check(&token(json!({"nbf": NOW + 3600})), NOW, None);
        assert_eq!(early.verdict, Verdict::Unknown("it is not valid yet".into()));
        let unsigned = token_of(&json!({"alg": "none"}), &json!({"exp": NOW + 5}));
        assert!(
            matches!(check(&unsigned, NOW, None).verdict, Verdict::Unknown(why) if why.contains("not signed"))
        );
    }

    #[test]
    fn a_token_whose_key_is_listed_no_more_is_retired() {
        let keys = |kid: &str| {
            let set = json!({"keys": [{"kty": "RSA", "kid": kid, "n": "AQAB", "e": "AQAB"}]});
            Listed::jwks(set.to_string().as_bytes()).unwrap()
        };
        let token = token(json!({"exp": NOW + 5}));
        assert_eq!(check(&token, NOW, Some(&keys("second"))).verdict, Verdict::Retired);
        assert!(matches!(check(&token, NOW, Some(&keys("first"))).verdict, Verdict::Unknown(_)));
    }

    #[test]
    fn what_is_no_token_is_unknown() {
        let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let deep = BASE64_URL_SAFE_NO_PAD.encode(&nested[..30_000]);
        let part = BASE64_URL_SAFE_NO_PAD.encode("{}");
        for text in
            ["", "..", "a.b", "a.b.c", "a.b.c.d", &format!("{part}.{part}.x"), &format!("{deep}.{part}.x")]
        {
            let outcome = check(&Secret::new(text), NOW, None);
            assert!(matches!(outcome.verdict, Verdict::Unknown(_)), "{text:.20}");
        }
        let long = Secret::new("e".repeat(LONGEST + 1));
        assert!(matches!(check(&long, NOW, None).verdict, Verdict::Unknown(_)));
    }

    #[test]
    fn a_time_that_no_calendar_has_is_a_number() {
        let outcome = check(&token(json!({"exp": 1e300})), NOW, None);
        assert_eq!(outcome.detail.unwrap(), format!("expires at second {}", i64::MAX));
    }
}
