//! What happened, line by line, and the hash of it.

use sha2::{Digest, Sha256};

/// Lines kept for the story of a failure; the hash is over all of them.
const LINES_KEPT_MAX: usize = 200_000;

/// The trace of one run of the simulator.
#[derive(Default)]
pub struct Trace {
    digest: Sha256,
    lines: Vec<String>,
}

impl Trace {
    /// Adds a line.
    pub fn say(&mut self, now_ms: u64, what: &str) {
        let line = format!("{:>12.3} s  {what}", Seconds(now_ms).as_f64());
        self.digest.update(line.as_bytes());
        self.digest.update(b"\n");
        if self.lines.len() < LINES_KEPT_MAX {
            self.lines.push(line);
        }
    }

    /// Adds what is too long for a line to the hash.
    pub fn hash(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
    }

    /// The hash of everything so far.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex::encode(self.digest.clone().finalize())
    }

    /// The lines.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}

struct Seconds(u64);

impl Seconds {
    fn as_f64(&self) -> f64 {
        std::time::Duration::from_millis(self.0).as_secs_f64()
    }
}
