//! Where the server under test lives.

use crate::harness::Program;
use crate::workspace::Workspace;
use crate::{progress, spin, worker};
use anyhow::{Context, Result};
use std::path::PathBuf;

/// A home; what is different in it is in `tests/src/home/<name>.md`.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Home {
    /// The wasmtime host
    Host,
    /// Cloudflare's runtime, from npm
    Workerd,
    /// Spin
    Spin,
}

impl Home {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Workerd => "workerd",
            Self::Spin => "spin",
        }
    }

    /// Builds what is special to this home; gives what its tests are told of it, as environment variables.
    pub(crate) fn prepare(self, workspace: &Workspace) -> Result<Vec<(&'static str, PathBuf)>> {
        match self {
            Self::Host => Ok(Vec::new()),
            Self::Spin => {
                spin::build(workspace)?;
                let (program, manifest) = (Program::find(workspace)?, workspace.root.join("spin.toml"));
                program.compile(&manifest)?;
                let mut told = vec![("STEPWELL_SPIN_PROGRAM", program.path), ("STEPWELL_SPIN_MANIFEST", manifest)];
                told.extend(memory());
                Ok(told)
            }
            Self::Workerd => {
                let built = worker::build(workspace)?;
                let mut told = vec![("STEPWELL_WORKER_DIST", built.dist), ("STEPWELL_WORKERD", built.workerd)];
                told.extend(memory());
                Ok(told)
            }
        }
    }

    /// Prints what does not apply here, and why: nothing is left out in silence.
    pub(crate) fn tell_differences(self, workspace: &Workspace) -> Result<()> {
        let table = workspace.root.join(format!("tests/src/home/{}.md", self.name()));
        let table = std::fs::read_to_string(&table).with_context(|| table.display().to_string())?;
        table.lines().for_each(progress::note);
        Ok(())
    }
}

/// Where data goes in homes whose every actor is flushed by itself: what a disk takes for that is not what is tested.
fn memory() -> Option<(&'static str, PathBuf)> {
    Some(PathBuf::from("/dev/shm")).filter(|memory| memory.is_dir()).map(|memory| ("TMPDIR", memory))
}
