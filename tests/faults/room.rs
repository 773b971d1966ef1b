//! A network and a view of the file system of its own, gone when dropped: there every port is free, an address can be silent or out of
//! reach, names stand in an own `/etc/hosts`, and a small disk can run full. Needs root.

use crate::servers::start::output;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// An address of the room itself that is not loopback.
pub const OWN: &str = "192.0.2.1";
/// An address that answers nothing: packets to it are lost.
pub const SILENT: &str = "192.0.2.9";
/// An address that no way leads to.
pub const UNREACHABLE: &str = "198.51.100.9";

/// The room.
pub struct Room {
    holder: Child,
    folder: tempfile::TempDir,
}

impl Room {
    /// Makes one.
    ///
    /// # Errors
    /// When that takes rights or a program that are not there.
    pub fn new() -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let home = folder.path();
        std::fs::create_dir(home.join("disk")).map_err(|error| error.to_string())?;
        for (file, text) in [("hosts", "127.0.0.1 localhost\n"), ("resolv.conf", "nameserver 127.0.0.1\n")] {
            std::fs::write(home.join(file), text).map_err(|error| error.to_string())?;
        }
        let set_up = format!(
            "ip link set lo up && ip link add far type veth peer name end && ip address add {OWN}/24 dev far && \
             ip link set far up && ip link set end up && ip neighbour add {SILENT} lladdr 02:00:00:00:00:09 dev far && \
             ip route add unreachable {UNREACHABLE}/32 && mount --bind hosts /etc/hosts && \
             mount --bind resolv.conf /etc/resolv.conf && mount -t tmpfs -o size=4m,nr_inodes=200 disk disk && \
             touch ready && exec sleep 600"
        );
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount", "--propagation", "private", "--", "sh", "-c", &set_up]).current_dir(home);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let holder = command.spawn().map_err(|error| format!("unshare: {error}"))?;
        let mut room = Self { holder, folder };
        for _look in 0..200 {
            if room.folder.path().join("ready").exists() {
                return Ok(room);
            }
            if let Ok(Some(_)) = room.holder.try_wait() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Err("a network of its own needs root, `unshare` and `ip`".to_owned())
    }

    /// Does something in the room's network, on a thread of its own; programs started and sockets made there stay there.
    ///
    /// # Errors
    /// When the network cannot be entered.
    pub fn inside<T: Send>(&self, deed: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
        let network = format!("/proc/{}/ns/net", self.holder.id());
        let enter = move || {
            let network = std::fs::File::open(&network).map_err(|error| format!("{network}: {error}"))?;
            let kind = Some(rustix::thread::LinkNameSpaceType::Network);
            rustix::thread::move_into_link_name_space(std::os::fd::AsFd::as_fd(&network), kind)
                .map_err(|error| format!("entering the room: {error}"))?;
            deed()
        };
        std::thread::scope(|scope| scope.spawn(enter).join().unwrap_or_else(|_| Err("it panicked there".to_owned())))
    }

    /// The same command, to be run with the room's network and files.
    #[must_use]
    pub fn there(&self, command: &Command) -> Command {
        let mut there = Command::new("nsenter");
        there.args(["--target", &self.holder.id().to_string(), "--net", "--mount", "--"]);
        there.arg(command.get_program()).args(command.get_args()).env_clear();
        there.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        there
    }

    /// Writes its `/etc/hosts`.
    ///
    /// # Errors
    /// When it cannot.
    pub fn hosts(&self, lines: &str) -> Result<(), String> {
        let text = format!("127.0.0.1 localhost\n{lines}\n");
        std::fs::write(self.folder.path().join("hosts"), text).map_err(|error| error.to_string())
    }

    /// A name server that knows no name.
    ///
    /// # Errors
    /// When its port is taken.
    pub fn knows_no_name(&self) -> Result<(), String> {
        let socket = self.inside(|| UdpSocket::bind("127.0.0.1:53").map_err(|error| error.to_string()))?;
        std::thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut question) {
                // An answer, recursion offered, NXDOMAIN.
                if let Some(flags) = question.get_mut(2..4) {
                    flags.copy_from_slice(&[0x81, 0x83]);
                }
                let _unheard = socket.send_to(question.get(..length).unwrap_or_default(), from);
            }
        });
        Ok(())
    }

    /// Its small disk (4 MB, 200 inodes), as seen in the room.
    #[must_use]
    pub fn disk(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// Runs a line of shell in the room.
    ///
    /// # Errors
    /// When it fails.
    pub fn shell(&self, line: &str) -> Result<String, String> {
        let mut command = Command::new("sh");
        command.args(["-c", line]).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        output(&mut self.there(&command))
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _killed = self.holder.kill();
        let _gone = self.holder.wait();
    }
}
