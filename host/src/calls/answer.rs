//! Reading an app's answer: never more than asked for, as it came over the wire or as it unpacks.

use crate::wit::{AppAnswer, CallFailure};
use http_body_util::BodyExt as _;
use hyper::Response;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap};
use std::io::Read;

/// The buffer that brotli unpacks through.
const BROTLI_BUFFER_BYTES: usize = 16 << 10;

/// Reads the whole answer.
///
/// # Errors
/// A body that breaks off, is larger than `bytes_max` before or after unpacking, or is packed in an unknown manner.
pub async fn read(response: Response<Incoming>, bytes_max: usize) -> Result<AppAnswer, CallFailure> {
    let (head, mut incoming) = response.into_parts();
    let too_large = || CallFailure::TooLarge(format!("the app's answer is larger than {bytes_max} bytes"));
    if incoming.size_hint().lower() > u64::try_from(bytes_max).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    let mut raw = Vec::with_capacity(usize::try_from(incoming.size_hint().lower()).unwrap_or(0));
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|e| CallFailure::Unreachable(format!("the app's answer broke off: {e}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if raw.len().saturating_add(data.len()) > bytes_max {
            return Err(too_large());
        }
        raw.extend_from_slice(&data);
    }
    let body = match encoding(&head.headers)? {
        Encoding::Identity => raw,
        Encoding::Gzip => unpack(flate2::read::MultiGzDecoder::new(raw.as_slice()), bytes_max)?,
        Encoding::Brotli => {
            unpack(brotli_decompressor::Decompressor::new(raw.as_slice(), BROTLI_BUFFER_BYTES), bytes_max)?
        }
    };
    let headers = head
        .headers
        .iter()
        .filter(|(name, _)| **name != CONTENT_ENCODING && **name != CONTENT_LENGTH)
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    Ok(AppAnswer { status: head.status.as_u16(), headers, body })
}

#[derive(Debug, PartialEq, Eq)]
enum Encoding {
    Identity,
    Gzip,
    Brotli,
}

/// Stacked encodings are an error, as unknown ones are (PROTOCOL §6.2).
fn encoding(headers: &HeaderMap) -> Result<Encoding, CallFailure> {
    let all: Vec<_> = headers.get_all(CONTENT_ENCODING).iter().collect();
    let names: Vec<String> = all.iter().map(|v| String::from_utf8_lossy(v.as_bytes()).to_ascii_lowercase()).collect();
    match names.join(",").trim() {
        "" | "identity" => Ok(Encoding::Identity),
        "gzip" | "x-gzip" => Ok(Encoding::Gzip),
        "br" => Ok(Encoding::Brotli),
        other => Err(CallFailure::Unreadable(format!(
            "the app's answer is encoded as {other:?}; gzip and br are understood"
        ))),
    }
}

fn unpack(packed: impl Read, bytes_max: usize) -> Result<Vec<u8>, CallFailure> {
    let mut body = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    packed
        .take(limit)
        .read_to_end(&mut body)
        .map_err(|e| CallFailure::Unreadable(format!("the app's answer cannot be unpacked: {e}")))?;
    if body.len() > bytes_max {
        return Err(CallFailure::TooLarge(format!("the app's answer unpacks to more than {bytes_max} bytes")));
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;
    use std::io::Write as _;

    fn encoded_as(values: &[&'static str]) -> Result<Encoding, CallFailure> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_ENCODING, HeaderValue::from_static(value));
        }
        encoding(&headers)
    }

    #[test]
    fn unknown_and_stacked_encodings_are_refused() {
        assert_eq!(encoded_as(&[]).unwrap(), Encoding::Identity);
        assert_eq!(encoded_as(&["GZIP"]).unwrap(), Encoding::Gzip);
        assert_eq!(encoded_as(&["br"]).unwrap(), Encoding::Brotli);
        assert!(matches!(encoded_as(&["zstd"]), Err(CallFailure::Unreadable(_))));
        assert!(matches!(encoded_as(&["gzip, br"]), Err(CallFailure::Unreadable(_))));
        assert!(matches!(encoded_as(&["gzip", "gzip"]), Err(CallFailure::Unreadable(_))));
    }

    #[test]
    fn an_answer_is_unpacked_up_to_its_limit_and_not_a_byte_further() {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(&vec![b'x'; 100_000]).unwrap();
        let packed = packer.finish().unwrap();
        let unpacked = |max| unpack(flate2::read::MultiGzDecoder::new(packed.as_slice()), max);
        assert_eq!(unpacked(100_000).unwrap().len(), 100_000);
        assert!(matches!(unpacked(99_999), Err(CallFailure::TooLarge(_))));
    }

    #[test]
    fn garbage_that_claims_to_be_packed_is_unreadable() {
        let garbage = b"not packed at all".as_slice();
        assert!(matches!(unpack(flate2::read::MultiGzDecoder::new(garbage), 99), Err(CallFailure::Unreadable(_))));
        let brotli = brotli_decompressor::Decompressor::new(garbage, BROTLI_BUFFER_BYTES);
        assert!(matches!(unpack(brotli, 99), Err(CallFailure::Unreadable(_))));
    }
}
