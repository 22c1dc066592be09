//! Checksums that providers put into their tokens.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// An algorithm, and where in a token its result stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Checksum {
    /// `ghp_…`: the last 6 characters are CRC32 of what stands between prefix and them, in Base62.
    /// Source: GitHub's "Behind GitHub's new authentication token formats" and published samples.
    #[serde(rename = "github")]
    Github,
    /// `github_pat_…`: the 8 characters before the last 8 are the first 8 of Base32(SHA-256(all before them)).
    /// Source: recomputed on revoked tokens.
    #[serde(rename = "github-fine-grained")]
    GithubFineGrained,
    /// `npm_…`: as GitHub's.
    #[serde(rename = "npm")]
    Npm,
    /// `vcp_…` and its kin: as GitHub's. Source: recomputed on published samples.
    #[serde(rename = "vercel")]
    Vercel,
    /// `glsa_<32>_<8>`: the last 8 are CRC32 of `glsa_<32>`, little-endian hexadecimal. Source: Grafana's `satokengen`.
    #[serde(rename = "grafana")]
    Grafana,
    /// `glpat-<…>.01.<9>`: the last 7 are CRC32 of all before them, in Base36. Classic tokens carry none.
    /// Source: GitLab's routable token design document.
    #[serde(rename = "gitlab-routable")]
    GitlabRoutable,
    /// `SU…`: Base32 of two prefix bytes, a seed of 32 and the CRC16 (XMODEM) of all these, low byte first.
    /// Source: NATS's `nkeys`.
    #[serde(rename = "nkey")]
    Nkey,
}

const BASE36: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

impl Checksum {
    /// Every algorithm.
    pub const ALL: &[Self] = &[
        Self::Github,
        Self::GithubFineGrained,
        Self::Npm,
        Self::Vercel,
        Self::Grafana,
        Self::GitlabRoutable,
        Self::Nkey,
    ];

    /// Its name in rule files and evidence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::GithubFineGrained => "github-fine-grained",
            Self::Npm => "npm",
            Self::Vercel => "vercel",
            Self::Grafana => "grafana",
            Self::GitlabRoutable => "gitlab-routable",
            Self::Nkey => "nkey",
        }
    }

    /// Whether the token's checksum is right; `None` where this form of the token carries none.
    pub fn verify(self, token: &[u8]) -> Option<bool> {
        let (at, expected) = self.compute(token)?;
        Some(token.get(at..at + expected.len()) == Some(expected.as_slice()))
    }

    /// Writes the right checksum into a token of the right length; whether there was a place for one.
    pub fn seal(self, token: &mut [u8]) -> bool {
        let Some((at, checksum)) = self.compute(token) else { return false };
        match token.get_mut(at..at + checksum.len()) {
            Some(place) => place.copy_from_slice(&checksum),
            None => return false,
        }
        true
    }

    /// Where the checksum stands and what it has to be.
    fn compute(self, token: &[u8]) -> Option<(usize, Vec<u8>)> {
        match self {
            Self::Github | Self::Npm | Self::Vercel => {
                let body_start = token.iter().position(|&byte| byte == b'_')? + 1;
                let at = token.len().checked_sub(6).filter(|at| *at > body_start)?;
                Some((at, to_base(BASE62, crc32fast::hash(&token[body_start..at]), 6)))
            }
            Self::GithubFineGrained => {
                let at = token.len().checked_sub(16)?;
                Some((at, base32_head(&Sha256::digest(&token[..at]))))
            }
            Self::Grafana => {
                let at = token.len().checked_sub(8)?;
                let crc = crc32fast::hash(&token[..at.checked_sub(1)?]).to_le_bytes();
                Some((at, crc.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()))
            }
            Self::GitlabRoutable => {
                let at = token.len().checked_sub(7)?;
                let is_routable = token[..at].windows(4).any(|window| window == b".01.");
                is_routable.then(|| (at, to_base(BASE36, crc32fast::hash(&token[..at]), 7)))
            }
            Self::Nkey => nkey(token),
        }
    }
}

/// `value` in the base of the alphabet, padded on the left with its first digit.
fn to_base(alphabet: &[u8], value: u32, width: usize) -> Vec<u8> {
    let base = alphabet.len();
    let mut rest = value as usize;
    let mut digits = vec![alphabet[0]; width];
    for digit in digits.iter_mut().rev() {
        *digit = alphabet[rest % base];
        rest /= base;
    }
    digits
}

/// The first 8 characters of the Base32 form: 40 bits.
fn base32_head(digest: &[u8]) -> Vec<u8> {
    let bits = digest[..5].iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    (0..8).map(|at| BASE32[(bits >> (35 - 5 * at) & 31) as usize]).collect()
}

/// The last four of 58 Base32 digits: two bits of the seed, the 16 of the checksum, and two that are unused.
fn nkey(token: &[u8]) -> Option<(usize, Vec<u8>)> {
    let at = token.len().checked_sub(4).filter(|at| *at == 54)?;
    let digit = |byte: &u8| BASE32.iter().position(|letter| letter == byte);
    let digits = token[..=at].iter().map(digit).collect::<Option<Vec<usize>>>()?;
    let (mut held, mut width, mut crc) = (0, 0, 0);
    for digit in &digits {
        held = (held << 5 | digit) & 0xfff;
        width += 5;
        if width >= 8 {
            width -= 8;
            crc = crc16(crc, (held >> width & 0xff) as u8);
        }
    }
    let bits = (digits[at] >> 3) << 18 | usize::from(crc.swap_bytes()) << 2;
    Some((at, (0..4).map(|place| BASE32[bits >> (15 - 5 * place) & 31]).collect()))
}

/// CRC16 with the polynomial 0x1021, as XMODEM has it, carried on by one byte.
fn crc16(crc: u16, byte: u8) -> u16 {
    let carry = |crc: u16, _| crc << 1 ^ if crc & 0x8000 == 0 { 0 } else { 0x1021 };
    (0..8).fold(crc ^ u16::from(byte) << 8, carry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_tokens_verify_and_a_changed_character_does_not() {
        let forms: &[(Checksum, &str)] = &[
            (Checksum::Github, &format!("ghp_{}", "a1B2c3".repeat(6))),
            (
                Checksum::GithubFineGrained,
                &format!("github_pat_{}_{}", "Ab1".repeat(8).split_at(22).0, "x9Y".repeat(20).split_at(59).0),
            ),
            (Checksum::Npm, &format!("npm_{}", "Q7w8E9".repeat(6))),
            (Checksum::Vercel, &format!("vcp_{}", "Zz09Yy18".repeat(7))),
            (Checksum::Grafana, &format!("glsa_{}_00000000", "aB3dE5fG".repeat(4))),
            (Checksum::GitlabRoutable, &format!("glpat-{}.01.{}", "dGVzdA".repeat(5), "120000000")),
        ];
        for (algorithm, form) in forms {
            let mut token = form.as_bytes().to_vec();
            assert!(algorithm.seal(&mut token), "{algorithm:?}");
            assert_eq!(algorithm.verify(&token), Some(true), "{algorithm:?}");
            token[14] = if token[14] == b'0' { b'1' } else { b'0' };
            assert_eq!(algorithm.verify(&token), Some(false), "{algorithm:?}");
        }
    }

    #[test]
    fn a_nats_seed_verifies_until_a_digit_changes() {
        let mut token = format!("SUA{}AAAA", "C3DX7".repeat(10) + "B").into_bytes();
        assert!(Checksum::Nkey.seal(&mut token));
        assert_eq!(Checksum::Nkey.verify(&token), Some(true));
        for at in 3..token.len() {
            let mut other = token.clone();
            other[at] = if other[at] == b'Q' { b'A' } else { b'Q' };
            assert_eq!(Checksum::Nkey.verify(&other), Some(false), "{at}");
        }
    }

    #[test]
    fn crc16_of_the_digits_is_the_published_check_value() {
        assert_eq!(b"123456789".iter().fold(0, |crc, byte| crc16(crc, *byte)), 0x31c3);
    }

    #[test]
    fn crc_in_base62_is_padded_on_the_left() {
        assert_eq!(to_base(BASE62, 0, 6), b"000000");
        assert_eq!(to_base(BASE62, 61, 6), b"00000z");
        assert_eq!(to_base(BASE62, u32::MAX, 6), b"4gfFC3");
    }

    #[test]
    fn classic_gitlab_tokens_carry_no_checksum() {
        assert_eq!(Checksum::GitlabRoutable.verify(b"glpat-abcdefghij0123456789"), None);
    }

    #[test]
    fn truncated_tokens_do_not_panic() {
        for algorithm in Checksum::ALL {
            for length in 0..60 {
                let mut token = vec![b'_'; length];
                algorithm.verify(&token);
                algorithm.seal(&mut token);
            }
        }
    }
}
