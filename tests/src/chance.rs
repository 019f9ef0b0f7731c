//! Random numbers from a seed that a failing test shows.

/// A generator (SplitMix64).
pub struct Chance(u64);

impl Chance {
    /// From `STEPWELL_SEED`, or from the clock; printed, so that a failure can be repeated.
    pub fn seeded() -> Self {
        let given = std::env::var("STEPWELL_SEED").ok().map(|seed| seed.parse().expect("STEPWELL_SEED is a number"));
        let seed = given.unwrap_or_else(|| {
            let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
            since.as_secs() ^ u64::from(since.subsec_nanos()) << 32
        });
        println!("STEPWELL_SEED={seed}");
        Self(seed)
    }

    /// A number from `range`.
    pub fn within(&mut self, range: std::ops::Range<u64>) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        range.start + (bits ^ (bits >> 31)) % (range.end - range.start)
    }
}
