//! Child processes: each in a group of its own, each waited for, none left behind on Ctrl-C.

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a process may take to end after SIGTERM before it is killed.
const GRACE: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(10);
const INTERRUPTED_EXIT_CODE: i32 = 130;

static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());
static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static EXIT_CODE: AtomicI32 = AtomicI32::new(INTERRUPTED_EXIT_CODE);

/// A child process; stopped and waited for when dropped.
pub(crate) struct Running {
    child: Child,
    group: Pid,
    ended: bool,
}

impl Running {
    /// Starts `command` without input.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let mut groups = groups();
        if INTERRUPTED.load(Ordering::SeqCst) {
            bail!("interrupted");
        }
        let child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", spelt(command)))?;
        let id = i32::try_from(child.id()).context("process id")?;
        groups.insert(id);
        Ok(Self { child, group: Pid::from_raw(id), ended: false })
    }

    /// The process, for its pipes.
    pub(crate) const fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> Result<ExitStatus> {
        let status = self.child.wait()?;
        self.forget();
        Ok(status)
    }

    /// Its status, if it has ended.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        let status = self.child.try_wait()?;
        if status.is_some() {
            self.forget();
        }
        Ok(status)
    }

    fn forget(&mut self) {
        self.ended = true;
        groups().remove(&self.group.as_raw());
    }

    fn stop(&mut self) -> Result<()> {
        // A group may be gone already: then there is nothing to signal.
        let _ = killpg(self.group, Signal::SIGTERM);
        let start = Instant::now();
        while self.ended()?.is_none() {
            if start.elapsed() > GRACE {
                let _ = killpg(self.group, Signal::SIGKILL);
                self.wait()?;
                return Ok(());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended
            && let Err(error) = self.stop()
        {
            crate::progress::failure(&error);
        }
    }
}

/// Runs `command` to its end, its output going where ours goes.
///
/// # Errors
/// It cannot be started, or ends otherwise than with success.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = Running::start(command)?.wait()?;
    if !status.success() {
        bail!("{} ended with {status}", spelt(command));
    }
    Ok(())
}

/// Runs `command` to its end and gives what it printed.
///
/// # Errors
/// As [`run`]; also output that is not text.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let mut running = Running::start(command.stdout(Stdio::piped()))?;
    let mut printed = String::new();
    if let Some(mut pipe) = running.child().stdout.take() {
        std::io::Read::read_to_string(&mut pipe, &mut printed).with_context(|| spelt(command))?;
    }
    let status = running.wait()?;
    if !status.success() {
        bail!("{} ended with {status}", spelt(command));
    }
    Ok(printed)
}

/// Whether `command` can be run, and succeeds; its output is nobody's business.
pub(crate) fn answers(command: &mut Command) -> bool {
    run(command.stdout(Stdio::null()).stderr(Stdio::null())).is_ok()
}

/// On Ctrl-C or SIGTERM: ends every child with all that it started, then us.
pub(crate) fn stop_all_on_interrupt() -> Result<()> {
    ctrlc::set_handler(|| {
        INTERRUPTED.store(true, Ordering::SeqCst);
        signal_all(Signal::SIGTERM);
        let start = Instant::now();
        while !groups().is_empty() && start.elapsed() < GRACE {
            std::thread::sleep(LOOK_AGAIN);
        }
        signal_all(Signal::SIGKILL);
        std::process::exit(EXIT_CODE.load(Ordering::SeqCst));
    })
    .context("cannot listen for Ctrl-C")
}

/// From here on Ctrl-C is how it is meant to end.
pub(crate) fn interrupt_is_success() {
    EXIT_CODE.store(0, Ordering::SeqCst);
}

/// Where an interrupt is the cause of a failure, the failure is not worth telling: waits for the interrupt to end us.
pub(crate) fn leave_if_interrupted() {
    while INTERRUPTED.load(Ordering::SeqCst) {
        std::thread::park();
    }
}

fn signal_all(signal: Signal) {
    for group in groups().iter() {
        let _ = killpg(Pid::from_raw(*group), signal);
    }
}

fn groups() -> MutexGuard<'static, BTreeSet<i32>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn spelt(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
    words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
