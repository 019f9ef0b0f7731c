//! Where a process spends its CPU time: the kernel notes, each few milliseconds of a thread's CPU time, where it is.
//!
//! The engine's components are compiled to machine code that is in no program or library file, so an address in an
//! executable mapping of another kind is theirs.

use super::Shares;
use super::proc::thread_ids;
use crate::samples::count;
use perf_event::events::Software;
use perf_event::{Builder, SampleFlag, Sampler};

/// CPU time of a thread between two samples.
const PERIOD_NS: u64 = 2_000_000;
/// The kernel's buffer for one thread: 4,096 samples of 16 bytes, 8 s of CPU time. Unprivileged users may lock some 500 KiB.
const BUFFER_BYTES: usize = 64 << 10;
/// Of a record's `misc`: in which mode the CPU was ...
const MODE_MASK: u16 = 0b111;
/// ... and the value for the kernel's.
const MODE_KERNEL: u16 = 1;

/// Sampling under way.
pub struct Sampling {
    pid: u32,
    threads: Vec<Sampler>,
    sees_kernel: bool,
}

impl Sampling {
    /// Begins to sample the threads that the process `pid` has now.
    ///
    /// # Errors
    /// The system does not permit it (`kernel.perf_event_paranoid` above 2, as in most containers).
    pub fn start(pid: u32) -> anyhow::Result<Self> {
        let threads = thread_ids(pid);
        let (threads, sees_kernel) = match samplers(&threads, true) {
            Ok(samplers) => (samplers, true),
            Err(_) => (samplers(&threads, false)?, false),
        };
        Ok(Self { pid, threads, sees_kernel })
    }

    /// Ends it.
    ///
    /// # Errors
    /// The process has ended, or has done nothing.
    pub fn finish(mut self) -> anyhow::Result<Shares> {
        let maps = std::fs::read_to_string(format!("/proc/{}/maps", self.pid))?;
        let generated = generated_code(&maps);
        let (mut all, mut kernel, mut wasm) = (0_usize, 0_usize, 0_usize);
        for thread in &mut self.threads {
            let _ = thread.as_counter_mut().disable();
            while let Some(record) = thread.next_record() {
                let Ok(address) = <[u8; 8]>::try_from(record.to_vec()) else { continue };
                let address = u64::from_ne_bytes(address);
                all = all.saturating_add(1);
                if record.misc() & MODE_MASK == MODE_KERNEL {
                    kernel = kernel.saturating_add(1);
                } else if generated.iter().any(|(start, end)| (*start..*end).contains(&address)) {
                    wasm = wasm.saturating_add(1);
                }
            }
        }
        anyhow::ensure!(all > 0, "the server used no CPU time");
        let share = |part: usize| count(part) / count(all);
        Ok(Shares { wasm: share(wasm), kernel: self.sees_kernel.then(|| share(kernel)) })
    }
}

fn samplers(threads: &[i32], with_kernel: bool) -> anyhow::Result<Vec<Sampler>> {
    threads
        .iter()
        .map(|thread| {
            let mut builder = Builder::new(Software::TASK_CLOCK);
            builder.observe_pid(*thread).any_cpu().sample(SampleFlag::IP).sample_period(PERIOD_NS).enabled(true);
            builder.exclude_kernel(!with_kernel);
            Ok(builder.build()?.sampled(BUFFER_BYTES)?)
        })
        .collect()
}

/// Executable mappings that belong to no program or library.
fn generated_code(maps: &str) -> Vec<(u64, u64)> {
    maps.lines().filter_map(generated_mapping).collect()
}

/// A line is: addresses, permissions, offset, device, inode, and the file if there is one.
fn generated_mapping(line: &str) -> Option<(u64, u64)> {
    let mut fields = line.split_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let is_executable = fields.next()?.contains('x');
    let file = fields.nth(3).unwrap_or_default();
    let is_generated =
        file.is_empty() || file.starts_with("[anon") || file.contains(".cwasm") || file.contains("memfd:");
    (is_executable && is_generated)
        .then(|| Some((u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_outside_of_programs_and_libraries_is_generated() {
        let maps = "\
55a0-55b0 r-xp 00001000 fe:00 123 /opt/stepwell
7f00-7f10 r-xp 00000000 00:00 0
7f10-7f20 rw-p 00000000 00:00 0
7f20-7f30 r-xp 00000000 fe:00 456 /cache/executor.cwasm
7f30-7f40 r-xp 00000000 fe:00 789 /lib/libc.so.6
7fff-8000 r-xp 00000000 00:00 0 [vdso]";
        assert_eq!(generated_code(maps), [(0x7f00, 0x7f10), (0x7f20, 0x7f30)]);
    }
}
