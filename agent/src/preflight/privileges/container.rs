//! What the kernel says of this process: user, groups, capabilities, pings.

use crate::limits;
use std::io::Read as _;
use std::path::Path;

/// Bit of CAP_NET_RAW (capability.h).
pub(super) const NET_RAW: u32 = 13;
/// Bit of CAP_SYS_ADMIN.
pub(super) const SYS_ADMIN: u32 = 21;

/// This process, as far as rights go.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Container {
    /// The effective user.
    pub(super) user: u32,
    groups: Vec<u32>,
    /// The effective capabilities, a bit each.
    pub(super) capabilities: u64,
    pub(super) no_new_privileges: bool,
    /// Groups that may open ping sockets, both ends in it; none when the range is not known.
    ping: Option<(u32, u32)>,
}

impl Container {
    /// Reads `self/status` and the range of groups that may ping.
    pub(super) fn read(proc: &Path) -> Result<Self, String> {
        let status = proc.join("self/status");
        let text = read(&status).map_err(|error| format!("`{}`: {error}", status.display()))?;
        let mut container = Self::parse(&text).ok_or_else(|| format!("`{}` is not understood", status.display()))?;
        let range = read(&proc.join("sys/net/ipv4/ping_group_range")).unwrap_or_default();
        let mut ends = range.split_whitespace().map_while(|end| end.parse().ok());
        container.ping = ends.next().zip(ends.next());
        Ok(container)
    }

    fn parse(status: &str) -> Option<Self> {
        let field =
            |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
        let numbers =
            |text: &str| text.split_whitespace().filter_map(|number| number.parse().ok()).collect::<Vec<u32>>();
        // Real, effective, saved, of the file system.
        let user = *numbers(field("Uid")?).get(1)?;
        let mut groups = numbers(field("Groups").unwrap_or_default());
        groups.extend(numbers(field("Gid")?).get(1));
        let capabilities = u64::from_str_radix(field("CapEff")?, 16).ok()?;
        Some(Self { user, groups, capabilities, no_new_privileges: field("NoNewPrivs") == Some("1"), ping: None })
    }

    pub(super) const fn has(&self, capability: u32) -> bool {
        self.capabilities >> capability & 1 == 1
    }

    pub(super) fn may_ping(&self) -> bool {
        self.ping.is_some_and(|(first, last)| self.groups.iter().any(|group| (first..=last).contains(group)))
    }
}

/// A file of the kernel, at most [`limits::PROC_FILE_BYTES`] of it.
pub(super) fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let cap = u64::try_from(limits::PROC_FILE_BYTES).unwrap_or(u64::MAX);
    std::fs::File::open(path)?.take(cap).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_of_the_kernel_is_read() {
        let text = "Name:\tagent\nUid:\t0\t65532\t0\t0\nGid:\t7\t7\t7\t7\nGroups:\t100 200\nNoNewPrivs:\t1\nCapEff:\t0000000000002000\n";
        let mut container = Container::parse(text).unwrap();
        assert_eq!((container.user, container.no_new_privileges), (65532, true));
        assert!(container.has(NET_RAW) && !container.has(SYS_ADMIN));
        assert!(!container.may_ping(), "the range is not known");
        container.ping = Some((200, 300));
        assert!(container.may_ping());
        container.ping = Some((1, 0));
        assert!(!container.may_ping(), "the kernel's default: nobody");
        assert_eq!(Container::parse("Name:\tagent\n"), None);
    }
}
