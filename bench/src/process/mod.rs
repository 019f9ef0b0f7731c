//! What the system knows about the server's process. Only Linux tells; elsewhere these rows are left out.

#[cfg(target_os = "linux")]
mod proc;
#[cfg(target_os = "linux")]
mod sampling;

#[cfg(target_os = "linux")]
pub use proc::{cpu_time, machine_use, resident_megabytes, thread_times};
#[cfg(target_os = "linux")]
pub use sampling::Sampling;

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(not(target_os = "linux"))]
pub use elsewhere::{Sampling, cpu_time, machine_use, resident_megabytes, thread_times};

/// Where CPU time was spent, each a share from 0 to 1 of all that was sampled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    /// In the engine's components.
    pub wasm: f64,
    /// In the kernel; nothing is known of it where only user code may be sampled.
    pub kernel: Option<f64>,
}
