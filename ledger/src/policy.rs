//! What a home chooses: times, and how much the head may hold.

/// The choices of a home; the same for all its actors. They may change between two starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long a call counts as under way after it was sent or renewed.
    pub lease_ms: u64,
    /// How often whoever makes a call says so: several times within a lease, so that one lost renewal is no loss.
    pub renew_ms: u64,
    /// How long after it was sent a letter is sent again for the first time; each time doubles it.
    pub resend_ms_min: u64,
    /// The longest pause between two sendings of a letter.
    pub resend_ms_max: u64,
    /// How long after a turn that failed it is tried again.
    pub failure_ms: u64,
    /// Where an alarm comes again by itself until its handling was not cut short, nothing. Elsewhere: how long after an alarm at
    /// which something is due another one is set, before the turns that settle it.
    pub guard_ms: Option<u64>,
    /// A turn's letters of up to so many bytes stay in the head ...
    pub parcel_inline_bytes_max: usize,
    /// ... as long as all that are in it come to no more than this.
    pub head_inline_bytes_max: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            lease_ms: 60_000,
            renew_ms: 20_000,
            resend_ms_min: 5_000,
            resend_ms_max: 300_000,
            failure_ms: 5_000,
            guard_ms: None,
            parcel_inline_bytes_max: 4 << 10,
            head_inline_bytes_max: 32 << 10,
        }
    }
}

impl Policy {
    /// How long after its `tries`-th sending a letter is sent again.
    #[must_use]
    pub fn resend_after(&self, tries: u32) -> u64 {
        let doubled = self.resend_ms_min.checked_shl(tries.saturating_sub(1).min(32)).unwrap_or(u64::MAX);
        doubled.clamp(self.resend_ms_min, self.resend_ms_max.max(self.resend_ms_min))
    }
}
