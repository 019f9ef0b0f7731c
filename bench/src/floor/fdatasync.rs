//! How long the disk takes to make a page durable.

use crate::statistics::Samples;
use anyhow::Result;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

/// A WAL frame is a page and a bit.
const PAGE: [u8; 4_096] = [7; 4_096];

/// Appends a page and calls `fdatasync`, so many times.
pub(crate) fn times(folder: &Path, count: usize) -> Result<Samples> {
    let mut file = File::create(folder.join("fdatasync"))?;
    let mut times = Vec::new();
    for _ in 0..count {
        file.write_all(&PAGE)?;
        let start = Instant::now();
        file.sync_data()?;
        times.push(start.elapsed());
    }
    Ok(Samples::of_times(times))
}
