//! Each user holds a connection and each connection a file descriptor: whether there are enough is asked before the start,
//! for a run that dies of it half-way looks like a failing target.

use crate::limits::SPARE_FILES;
use crate::problem::Problem;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit as far as is needed and allowed.
///
/// # Errors
/// When the users need more than this process may have.
pub(super) fn reserve(users: usize) -> Result<(), Problem> {
    let needed = needed(users);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let raised = Rlimit { current: Some(needed), maximum: limit.maximum };
    let allowed = limit.maximum.is_none_or(|maximum| maximum >= needed) && setrlimit(Resource::Nofile, raised).is_ok();
    if allowed { Ok(()) } else { Err(too_few(users, needed, limit.maximum.or(limit.current).unwrap_or(0))) }
}

fn needed(users: usize) -> u64 {
    u64::try_from(users).unwrap_or(u64::MAX).saturating_add(SPARE_FILES)
}

fn too_few(users: usize, needed: u64, has: u64) -> Problem {
    let most = has.saturating_sub(SPARE_FILES);
    Problem::new(format!("{users} users need {needed} file descriptors, this process may have {has}"))
        .hint(format!("raise the limit with `ulimit -n {needed}`, or ask for at most {most} users"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_many_are_needed_and_what_to_do() {
        insta::assert_snapshot!(too_few(5000, needed(5000), 1024), @r"
        error: 5000 users need 5064 file descriptors, this process may have 1024
        hint: raise the limit with `ulimit -n 5064`, or ask for at most 960 users
        ");
    }

    #[test]
    fn a_few_users_always_fit() {
        assert_eq!(reserve(1), Ok(()));
    }
}
