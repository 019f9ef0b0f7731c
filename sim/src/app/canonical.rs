//! JSON in the form that signatures are over (RFC 8785), and signatures, as an SDK has them: without the engine's code.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A block of the hash.
const BLOCK_BYTES: usize = 64;
/// ECMAScript writes numbers of up to so many digits without an exponent.
const DIGITS_MAX: i32 = 21;

/// `json` in canonical form; `None` where it cannot be read.
#[must_use]
pub fn canonical(json: &str) -> Option<String> {
    let mut reader = Reader { rest: json };
    let text = reader.value()?;
    reader.rest.trim_start().is_empty().then_some(text)
}

/// The signature over `body` at `seconds`, by a key without its prefix (PROTOCOL §2.2): HMAC-SHA256, in hex.
#[must_use]
pub fn signature(key: &str, body: &[u8], seconds: u64) -> String {
    let pad = |with: u8| {
        let padded = key.bytes().chain(std::iter::repeat(0)).take(BLOCK_BYTES);
        padded.map(|byte| byte ^ with).collect::<Vec<u8>>()
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(body).chain_update(seconds.to_string()).finalize();
    hex::encode(Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize())
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Option<String> {
        self.rest = self.rest.trim_start();
        match self.rest.bytes().next()? {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => self.string().and_then(|text| serde_json::to_string(&text).ok()),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => {
                let end = self.rest.find([',', ']', '}', ' ', '\n', '\t', '\r']).unwrap_or(self.rest.len());
                number(self.take(end)?.parse().ok()?)
            }
        }
    }

    /// Keys in the order of their UTF-16 code units; of two that are the same the last counts.
    fn object(&mut self) -> Option<String> {
        let mut members = BTreeMap::new();
        self.take(1)?;
        while !self.ends('}')? {
            let key = self.string()?;
            self.skip(':')?;
            let value = self.value()?;
            members.insert(key.encode_utf16().collect::<Vec<u16>>(), (key, value));
        }
        let members =
            members.into_values().map(|(key, value)| Some(format!("{}:{value}", serde_json::to_string(&key).ok()?)));
        Some(format!("{{{}}}", members.collect::<Option<Vec<_>>>()?.join(",")))
    }

    fn array(&mut self) -> Option<String> {
        let mut items = Vec::new();
        self.take(1)?;
        while !self.ends(']')? {
            items.push(self.value()?);
        }
        Some(format!("[{}]", items.join(",")))
    }

    /// Passes over a comma, or over the end: whether it was the end.
    fn ends(&mut self, with: char) -> Option<bool> {
        self.rest = self.rest.trim_start();
        if let Some(rest) = self.rest.strip_prefix(',') {
            self.rest = rest.trim_start();
        }
        let ended = self.rest.strip_prefix(with);
        self.rest = ended.unwrap_or(self.rest);
        (!self.rest.is_empty() || ended.is_some()).then_some(ended.is_some())
    }

    fn string(&mut self) -> Option<String> {
        let mut is_escaped = false;
        let closing = self.rest.char_indices().skip(1).find(|(_, letter)| {
            let closes = *letter == '"' && !is_escaped;
            is_escaped = *letter == '\\' && !is_escaped;
            closes
        });
        let text = self.take(closing?.0.checked_add(1)?)?;
        serde_json::from_str(text).ok()
    }

    fn word(&mut self, word: &str) -> Option<String> {
        self.rest = self.rest.strip_prefix(word)?;
        Some(word.to_owned())
    }

    fn skip(&mut self, letter: char) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(letter)?;
        Some(())
    }

    fn take(&mut self, bytes: usize) -> Option<&'a str> {
        let (head, rest) = self.rest.split_at_checked(bytes)?;
        self.rest = rest;
        Some(head)
    }
}

/// A number as ECMAScript writes it.
fn number(value: f64) -> Option<String> {
    if value == 0.0 {
        return Some("0".to_owned());
    }
    let shortest = format!("{:e}", value.abs());
    let (digits, exponent) = shortest.split_once('e')?;
    let digits = digits.replace('.', "");
    let exponent: i32 = exponent.parse().ok()?;
    let point = exponent.checked_add(1)?;
    let count = i32::try_from(digits.len()).ok()?;
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    let text = if (count..=DIGITS_MAX).contains(&point) {
        format!("{digits}{}", zeros(point.saturating_sub(count)))
    } else if (1..=DIGITS_MAX).contains(&point) {
        let (whole, rest) = digits.split_at_checked(usize::try_from(point).ok()?)?;
        format!("{whole}.{rest}")
    } else if (-5..=0).contains(&point) {
        format!("0.{}{digits}", zeros(point.saturating_neg()))
    } else {
        let (first, rest) = digits.split_at_checked(1)?;
        let rest = if rest.is_empty() { String::new() } else { format!(".{rest}") };
        format!("{first}{rest}e{}{}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
    };
    Some(if value < 0.0 { format!("-{text}") } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_oddly_has_one_form() {
        let odd = "{\"b\": 1.0,\"a\":[1e2,-0.0 , 12345678901234567890123],\"\\u0041\\/\": {}, \"b\":3 }";
        assert_eq!(canonical(odd).unwrap(), "{\"A/\":{},\"a\":[100,0,1.2345678901234568e+22],\"b\":3}");
        assert_eq!(
            canonical("[0.30000000000000004441,1e-7,1e21,0.000001,123.5,true,null]").unwrap(),
            "[0.30000000000000004,1e-7,1e+21,0.000001,123.5,true,null]"
        );
        assert_eq!(canonical("{\"a\":"), None);
    }

    #[test]
    fn signatures_are_those_of_the_reference() {
        let key = "abcdef0123456789abcdef0123456789";
        let hash = "9cc9c44f3011ca9c698adbead50335c965cc709456c782821cc7240e2c801d02";
        assert_eq!(signature(key, br#"{"a":1}"#, 1_700_000_000), hash);
    }
}
