//! A second host beside this one: a network namespace with one cable to this machine, gone when dropped. Programs that run in it see
//! this machine as a stranger with an address of its own.

use crate::servers::start::output;
use std::process::Command;

/// The other host.
pub struct OtherHost {
    name: String,
    cable: String,
    /// Its address.
    pub address: String,
    /// This machine's address on the cable.
    pub ours: String,
}

impl OtherHost {
    /// Makes one.
    ///
    /// # Errors
    /// When that takes rights or a program that are not there.
    pub fn new() -> Result<Self, String> {
        let id = std::process::id();
        // RFC 2544 keeps 198.18.0.0/15 for tests between two networks; four addresses of it for each process of the tests.
        let address = |last: u32| format!("198.18.{}.{}", (id >> 6) & 255, ((id & 63) << 2) + last);
        let (name, cable) = (format!("sidecar-test-{id}"), format!("sct{id}"));
        ip(&["netns", "add", &name])?;
        let host = Self { name, cable, address: address(2), ours: address(1) };
        let (name, cable) = (host.name.as_str(), host.cable.as_str());
        ip(&["link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name])?;
        ip(&["address", "add", &format!("{}/30", host.ours), "dev", cable])?;
        ip(&["link", "set", cable, "up"])?;
        ip(&["-n", name, "address", "add", &format!("{}/30", host.address), "dev", "eth0"])?;
        ip(&["-n", name, "link", "set", "eth0", "up"])?;
        ip(&["-n", name, "link", "set", "lo", "up"])?;
        Ok(host)
    }

    /// The same command, to be run there.
    #[must_use]
    pub fn there(&self, command: &Command) -> Command {
        let mut there = Command::new("ip");
        there.args(["netns", "exec", &self.name]).arg(command.get_program()).args(command.get_args()).env_clear();
        there.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        there
    }
}

impl Drop for OtherHost {
    fn drop(&mut self) {
        let _cable = ip(&["link", "delete", &self.cable]);
        let _namespace = ip(&["netns", "delete", &self.name]);
    }
}

fn ip(words: &[&str]) -> Result<String, String> {
    output(Command::new("ip").args(words))
}
