//! /proc.

use nix::unistd::{SysconfVar, sysconf};
use std::collections::BTreeMap;
use std::time::Duration;

/// The CPU time that the process `pid` has used, in user code and in the kernel.
pub fn cpu_time(pid: u32) -> Option<Duration> {
    stat_time(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?, ticks_per_second()?)
}

/// The memory of the process `pid` that is resident, in megabytes of a million bytes.
pub fn resident_megabytes(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u32 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(f64::from(kibibytes) * 1_024.0 / 1e6)
}

/// The CPU time of each thread of the process `pid`, threads of the same name together (but for digits at the end).
pub fn thread_times(pid: u32) -> Vec<(String, Duration)> {
    let mut times: BTreeMap<String, Duration> = BTreeMap::new();
    for thread in thread_ids(pid) {
        let folder = format!("/proc/{pid}/task/{thread}");
        let read = |file: &str| std::fs::read_to_string(format!("{folder}/{file}")).unwrap_or_default();
        let time = ticks_per_second().and_then(|ticks| stat_time(&read("stat"), ticks)).unwrap_or_default();
        let name = read("comm").trim().trim_end_matches(|last: char| last.is_ascii_digit() || last == '-').to_owned();
        let sum = times.entry(name).or_default();
        *sum = sum.saturating_add(time);
    }
    times.into_iter().collect()
}

/// The threads of the process `pid`.
pub fn thread_ids(pid: u32) -> Vec<i32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
    threads.into_iter().flatten().flatten().filter_map(|thread| thread.file_name().to_str()?.parse().ok()).collect()
}

/// The part of this machine's CPU time that was in use over `time`, which passes meanwhile.
pub fn machine_use(time: Duration) -> Option<f64> {
    let read = || use_of(&std::fs::read_to_string("/proc/stat").ok()?);
    let (busy_before, all_before) = read()?;
    std::thread::sleep(time);
    let (busy, all) = read()?;
    (all > all_before).then(|| (busy - busy_before) / (all - all_before))
}

/// Busy and all ticks of the first line of /proc/stat: user, nice, system, idle, iowait, and what interrupts take.
fn use_of(stat: &str) -> Option<(f64, f64)> {
    let fields = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<f64> = fields.split_whitespace().take(8).map(str::parse).collect::<Result<_, _>>().ok()?;
    let all: f64 = ticks.iter().sum();
    let idle: f64 = ticks.iter().skip(3).take(2).sum();
    Some((all - idle, all))
}

fn ticks_per_second() -> Option<u64> {
    u64::try_from(sysconf(SysconfVar::CLK_TCK).ok()??).ok()
}

/// utime and stime of a stat line. The name, in parentheses, may contain anything.
fn stat_time(stat: &str, ticks_per_second: u64) -> Option<Duration> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis(user.checked_add(system)?.checked_mul(1_000)?.checked_div(ticks_per_second)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_behind_a_name_with_spaces_and_parentheses() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 1 0 100 1000 10";
        assert_eq!(stat_time(stat, 100), Some(Duration::from_secs(2)));
        assert_eq!(stat_time("nonsense", 100), None);
    }

    #[test]
    fn waiting_for_the_disk_is_not_use() {
        let stat = "cpu  10 0 5 80 5 0 0 0 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0";
        assert_eq!(use_of(stat), Some((15.0, 100.0)));
        assert_eq!(use_of("intr 1"), None);
    }

    #[test]
    fn this_process_has_memory_and_threads() {
        let pid = std::process::id();
        assert!(resident_megabytes(pid).unwrap() > 0.1);
        assert!(cpu_time(pid).is_some() && !thread_times(pid).is_empty());
    }
}
