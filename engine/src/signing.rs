//! Signatures of what is sent, and bearer tokens of what comes in (PROTOCOL §2).

use crate::error::Fault;
use crate::ids::Millis;
use crate::limits::SIGNATURE_SKEW_MAX;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The header that carries a signature, on calls and on answers.
pub const SIGNATURE_HEADER: &str = "x-inngest-signature";

/// The value of [`SIGNATURE_HEADER`] over `body`, which must be canonical JSON or empty (PROTOCOL §2.2).
///
/// The HMAC key is the hex *text* of the signing key, without its prefix.
///
/// # Errors
/// None in practice: HMAC takes keys of any length.
pub fn sign(signing_key: &str, body: &[u8], now: Millis) -> Result<String, Fault> {
    let seconds = now.0.checked_div(1_000).unwrap_or(0);
    let signature = hex::encode(mac(signing_key, body, seconds)?);
    Ok(format!("t={seconds}&s={signature}"))
}

/// Whether `header` is a signature over `body` by one of `signing_keys` (PROTOCOL §2.3), made at about `now`: what was signed
/// long ago may be what somebody has recorded.
#[must_use]
pub fn signature_matches(signing_keys: &[String], header: &str, body: &[u8], now: Millis) -> bool {
    let mut seconds = None;
    let mut signature = None;
    for (name, value) in form_urlencoded::parse(header.as_bytes()) {
        match name.as_ref() {
            "t" => seconds = value.parse::<u64>().ok(),
            "s" => signature = hex::decode(value.as_bytes()).ok(),
            _ => {}
        }
    }
    let (Some(seconds), Some(signature)) = (seconds, signature) else { return false };
    if seconds.saturating_mul(1_000).abs_diff(now.0) > SIGNATURE_SKEW_MAX.0 {
        return false;
    }
    signing_keys
        .iter()
        .any(|key| mac(key, body, seconds).is_ok_and(|expected| bool::from(expected.ct_eq(signature.as_slice()))))
}

fn mac(signing_key: &str, body: &[u8], seconds: u64) -> Result<Vec<u8>, Fault> {
    let key = without_prefix(signing_key).as_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|e| Fault::new("signing key", e))?;
    mac.update(body);
    mac.update(seconds.to_string().as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

/// Whether an `Authorization` header proves one of `signing_keys`: the key itself, or the hash of its decoded hex, each
/// with or without the key's prefix (PROTOCOL §2.4, SERVER §4.0). With no keys configured, anything passes (PROTOCOL §2.6).
#[must_use]
pub fn bearer_matches(signing_keys: &[String], authorization: Option<&str>) -> bool {
    if signing_keys.is_empty() {
        return true;
    }
    let Some((scheme, token)) = authorization.and_then(|header| header.trim().split_once(' ')) else { return false };
    if !scheme.eq_ignore_ascii_case("bearer") {
        return false;
    }
    let token = without_prefix(token.trim()).as_bytes();
    signing_keys.iter().any(|key| {
        let is_key = without_prefix(key).as_bytes().ct_eq(token);
        let is_hash = hashed(key).is_some_and(|hash| bool::from(hash.as_bytes().ct_eq(token)));
        bool::from(is_key) || is_hash
    })
}

/// The hash that SDKs send in a key's stead: SHA-256 over the *decoded* hex; `None` for a key that is not hex.
#[must_use]
pub fn hashed(signing_key: &str) -> Option<String> {
    let decoded = hex::decode(without_prefix(signing_key)).ok()?;
    Some(hex::encode(Sha256::digest(decoded)))
}

/// Strips `signkey-<word>-` (PROTOCOL §2.1).
fn without_prefix(key: &str) -> &str {
    key.strip_prefix("signkey-").and_then(|rest| rest.split_once('-')).map_or(key, |(_, text)| text)
}

/// `json` in the form of RFC 8785, which is what signatures are over.
///
/// # Errors
/// Text that is not JSON, or that no double-based reader can hold (a lone surrogate).
pub fn canonical(json: &[u8]) -> Result<Vec<u8>, Fault> {
    let value: serde_json::Value = serde_json::from_slice(json).map_err(|e| Fault::new("JSON to sign", e))?;
    serde_json_canonicalizer::to_vec(&value).map_err(|e| Fault::new("JSON to sign", e))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "signkey-test-abcdef0123456789abcdef0123456789";
    const HASH: &str = "3e4ca04a7a69cf22ada1ccc20cdec2f6d8c098e94e5776f47407b289c9e38a5c";

    #[test]
    fn signatures_are_those_of_the_recorded_vectors() {
        let at = Millis(1_700_000_000_000);
        assert_eq!(
            sign(KEY, br#"{"a":1}"#, at).unwrap(),
            "t=1700000000&s=9cc9c44f3011ca9c698adbead50335c965cc709456c782821cc7240e2c801d02"
        );
        assert_eq!(
            sign(KEY, b"", at).unwrap(),
            "t=1700000000&s=bdfdb2780df0f8cbd6d04959a8f15299c46d5a1606e02fe97092e422669b27b1"
        );
    }

    #[test]
    fn a_signature_verifies_with_any_configured_key_and_no_other() {
        let keys = ["signkey-prod-00ff".to_owned(), KEY.to_owned()];
        let header = sign(KEY, b"{}", Millis(5_000)).unwrap();
        let now = Millis(5_000);
        assert!(signature_matches(&keys, &header, b"{}", now));
        assert!(!signature_matches(&keys, &header, b"{ }", now));
        assert!(!signature_matches(&keys[..1], &header, b"{}", now));
        assert!(!signature_matches(&keys, "t=5&s=zz", b"{}", now));
        assert!(!signature_matches(&keys, "", b"{}", now));
    }

    #[test]
    fn a_signature_of_another_time_does_not_match() {
        let keys = [KEY.to_owned()];
        let signed_at = Millis(1_700_000_000_000);
        let header = sign(KEY, b"{}", signed_at).unwrap();
        let matches_at = |ms| signature_matches(&keys, &header, b"{}", Millis(ms));
        for (limit, beyond) in [
            (signed_at.0 + SIGNATURE_SKEW_MAX.0, signed_at.0 + SIGNATURE_SKEW_MAX.0 + 1),
            (signed_at.0 - SIGNATURE_SKEW_MAX.0, signed_at.0 - SIGNATURE_SKEW_MAX.0 - 1),
        ] {
            assert!(matches_at(limit));
            assert!(!matches_at(beyond));
        }
    }

    #[test]
    fn a_bearer_is_the_key_or_its_hash_with_or_without_prefix() {
        let keys = [KEY.to_owned()];
        for token in [KEY, "abcdef0123456789abcdef0123456789", HASH, &format!("signkey-test-{HASH}")] {
            assert!(bearer_matches(&keys, Some(&format!("Bearer {token}"))), "{token}");
            assert!(bearer_matches(&keys, Some(&format!("bearer {token}"))), "{token}");
        }
        for refused in [None, Some("Bearer undefined"), Some("Bearer"), Some(HASH), Some("Basic x")] {
            assert!(!bearer_matches(&keys, refused), "{refused:?}");
        }
    }

    #[test]
    fn without_keys_every_bearer_passes() {
        for accepted in [None, Some("Bearer undefined"), Some("Bearer")] {
            assert!(bearer_matches(&[], accepted));
        }
    }

    #[test]
    fn canonical_json_formats_numbers_and_orders_keys() {
        assert_eq!(canonical(b"{\"b\":1e21,\"a\":-0.0, \"c\":1.0}").unwrap(), b"{\"a\":0,\"b\":1e+21,\"c\":1}");
        assert!(canonical(b"nope").is_err());
    }
}
