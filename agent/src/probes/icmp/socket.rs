//! The kernel's ping socket: a datagram socket for ICMP echo that ordinary users may open, when the kernel is told so.
//! `nix` is named here only: it alone reads a reply's hop limit without `unsafe`.

use super::Params;
use crate::probes::net::fault_of;
use crate::probes::{Fault, Reason};
use nix::sys::socket::sockopt::{Ipv4RecvTtl, Ipv4Ttl, Ipv6RecvHopLimit, Ipv6Ttl};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt};
use rustix::net::sockopt::{Ipv4PathMtuDiscovery, set_ip_mtu_discover};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, ipproto, socket_with};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd as _, OwnedFd};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// A ping socket that speaks with one address.
pub(super) struct Ping {
    /// A datagram socket as any other, but for what it carries.
    socket: UdpSocket,
    to: IpAddr,
}

/// A message that came.
pub(super) struct Reply {
    pub(super) message: Vec<u8>,
    pub(super) from: IpAddr,
    pub(super) hop_limit: Option<i32>,
}

impl Ping {
    pub(super) fn open(to: IpAddr, params: &Params) -> Result<Self, Fault> {
        let (family, protocol) = match to {
            IpAddr::V4(_) => (AddressFamily::INET, ipproto::ICMP),
            IpAddr::V6(_) => (AddressFamily::INET6, ipproto::ICMPV6),
        };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket =
            socket_with(family, SocketType::DGRAM, flags, Some(protocol)).map_err(|error| forbidden(&error.into()))?;
        let broken = |error: io::Error| fault_of(&error, &format!("ping {to}"));
        set_up(&socket, to, params).map_err(broken)?;
        // Connected, so that the kernel tells of a host that it cannot reach.
        connect(&socket, &SocketAddr::new(to, 0)).map_err(|error| broken(error.into()))?;
        let socket = UdpSocket::from_std(socket.into()).map_err(broken)?;
        Ok(Self { socket, to })
    }

    pub(super) async fn send(&self, message: &[u8]) -> Result<(), Fault> {
        self.socket.send(message).await.map(drop).map_err(|error| self.broken(&error))
    }

    /// The next message, at most `room` bytes of it.
    pub(super) async fn receive(&self, room: usize) -> Result<Reply, Fault> {
        let mut buffer = vec![0; room];
        let received = self.socket.async_io(Interest::READABLE, || receive(&self.socket, &mut buffer)).await;
        let (length, from, hop_limit) = received.map_err(|error| self.broken(&error))?;
        buffer.truncate(length);
        Ok(Reply { message: buffer, from, hop_limit })
    }

    fn broken(&self, error: &io::Error) -> Fault {
        let to = self.to;
        if error.raw_os_error() == Some(rustix::io::Errno::MSGSIZE.raw_os_error()) {
            return Fault::new(Reason::Unreachable, format!("the packet is too large for the path to {to}"))
                .hint("lower `payload_size`, or let the packet be split: `dont_fragment: false`");
        }
        fault_of(error, &format!("ping {to}"))
    }
}

fn set_up(socket: &OwnedFd, to: IpAddr, params: &Params) -> io::Result<()> {
    if let Some(source) = params.source_ip_address {
        bind(socket, &SocketAddr::new(source, 0))?;
    }
    let ttl = i32::from(params.ttl);
    if to.is_ipv6() {
        setsockopt(socket, Ipv6Ttl, &ttl)?;
        setsockopt(socket, Ipv6RecvHopLimit, &true)?;
        return Ok(());
    }
    setsockopt(socket, Ipv4Ttl, &ttl)?;
    setsockopt(socket, Ipv4RecvTtl, &true)?;
    if params.dont_fragment {
        set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::DO)?;
    }
    Ok(())
}

fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<(usize, IpAddr, Option<i32>)> {
    // Room for the one control message that was asked for.
    let mut control = [0; 64];
    let mut slices = [IoSliceMut::new(buffer)];
    let came = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut slices, Some(&mut control), MsgFlags::empty())?;
    let from = came.address.as_ref().and_then(|address| {
        let v4 = address.as_sockaddr_in().map(|v4| IpAddr::from(v4.ip()));
        v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::from(v6.ip())))
    });
    let hops = came.cmsgs().ok().and_then(|mut all| {
        all.find_map(|one| match one {
            ControlMessageOwned::Ipv4Ttl(hops) | ControlMessageOwned::Ipv6HopLimit(hops) => Some(hops),
            _ => None,
        })
    });
    let from = from.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
    Ok((came.bytes, from, hops))
}

/// Why there is no socket; the first two are the kernel's way of saying that it was not told to let us.
fn forbidden(error: &io::Error) -> Fault {
    let group = rustix::process::getegid().as_raw();
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            Fault::new(Reason::Config, format!("the kernel does not let group {group} send pings")).hint(
                "set the sysctl `net.ipv4.ping_group_range` of this container to `0 2147483647` (compose: `sysctls:`, \
                 Kubernetes: `securityContext.sysctls`, where it counts as safe)",
            )
        }
        _ => Fault::new(Reason::Config, format!("this kernel has no ping socket: {error}")),
    }
}
