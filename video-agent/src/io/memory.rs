//! Keeps raw frames from reaching a disk by way of the operating system.

use crate::error::Error;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// No core dumps, no debugger of the same user, and no swap: memory is locked where there is any.
pub(crate) fn keep_in_memory() -> Result<(), Error> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none).map_err(|source| Error::Memory {
        what: "forbid core dumps",
        source,
    })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(|source| Error::Memory {
        what: "forbid dumps",
        source,
    })?;

    if !has_swap() {
        return Ok(());
    }

    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE).map_err(|source| Error::Memory {
        what: "lock memory, since this machine swaps (swapoff -a also helps)",
        source,
    })
}

/// What cannot be read counts as swap.
fn has_swap() -> bool {
    std::fs::read_to_string("/proc/swaps").map_or(true, |table| table.lines().count() > 1)
}
