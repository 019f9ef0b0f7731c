//! How big an artifact is, and which one it is.

use anyhow::Result;
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use std::io::Write;

/// Name, size, size gzipped, SHA-256.
pub(crate) fn line(name: &str, bytes: &[u8]) -> Result<String> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes)?;
    let zipped = gzip.finish()?.len();
    let hash = hex::encode(Sha256::digest(bytes));
    Ok(format!("{name:<10} {:>6} KiB, {:>5} KiB gzipped, sha256 {hash}", bytes.len() >> 10, zipped >> 10))
}
