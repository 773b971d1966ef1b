//! File descriptors: each user holds connections, and a run must not find out half-way that there are too few.

use crate::limits;
use rustix::process::{Resource, getrlimit, setrlimit};

/// Too few file descriptors for the users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{users} users at once need {needed} file descriptors, and this process may open {allowed}\n\
     hint: raise the limit (`ulimit -n {needed}`, or `ulimits: {{nofile: {needed}}}` in a compose file), or use fewer users"
)]
pub struct TooFewFiles {
    users: usize,
    needed: u64,
    allowed: u64,
}

/// Raises this process's own limit as far as it may, and says whether it is enough: one descriptor for each user's
/// connection and some for the rest.
///
/// # Errors
/// When the hard limit is too low.
pub fn check_file_descriptors(users: usize) -> Result<(), TooFewFiles> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current < limit.maximum || (limit.current.is_some() && limit.maximum.is_none()) {
        // Without the right to do so, the old limit stands, and is what counts below.
        let _ = setrlimit(Resource::Nofile, rustix::process::Rlimit { current: limit.maximum, ..limit });
    }
    judge(users, getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX))
}

fn judge(users: usize, allowed: u64) -> Result<(), TooFewFiles> {
    let needed = u64::try_from(users).unwrap_or(u64::MAX).saturating_add(limits::SPARE_FILES);
    if allowed >= needed { Ok(()) } else { Err(TooFewFiles { users, needed, allowed }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_say_how_many_are_needed() {
        assert_eq!(judge(200, 1024), Ok(()));
        assert_eq!(judge(960, 1024), Ok(()));
        insta::assert_snapshot!(judge(2000, 1024).unwrap_err(), @"
        2000 users at once need 2064 file descriptors, and this process may open 1024
        hint: raise the limit (`ulimit -n 2064`, or `ulimits: {nofile: 2064}` in a compose file), or use fewer users
        ");
    }

    #[test]
    fn the_soft_limit_is_raised_to_the_hard_one() {
        check_file_descriptors(1).unwrap();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }
}
