//! How many files and sockets the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a process needs beside its connections: files, a database, other services.
const RESERVE: usize = 256;
/// With fewer connections nobody could even ask how the process is.
const CONNECTIONS_MIN: usize = 16;

/// Takes what the operator allows, the hard limit. Gives the limit in force; `None` when there is none.
pub(super) fn raise_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return limit.current;
    }

    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files cannot be raised");
            limit.current
        }
    }
}

/// So many connections leave the reserve free, or half of the descriptors where there are very few.
pub(super) fn fit_connections(wanted: usize, descriptors: Option<u64>) -> usize {
    let Some(descriptors) = descriptors else {
        return wanted;
    };
    let descriptors = usize::try_from(descriptors).unwrap_or(usize::MAX);
    let reserve = RESERVE.min(descriptors / 2);

    wanted.min((descriptors - reserve).max(CONNECTIONS_MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_stays_free() {
        assert_eq!(fit_connections(16_384, None), 16_384);
        assert_eq!(fit_connections(16_384, Some(65_536)), 16_384);
        assert_eq!(fit_connections(16_384, Some(1_024)), 768);
        assert_eq!(fit_connections(16_384, Some(100)), 50);
        assert_eq!(fit_connections(16_384, Some(20)), CONNECTIONS_MIN);
    }
}
