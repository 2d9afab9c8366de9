//! Onto a network, or to another program of this machine.

use std::{io, ops::RangeInclusive};

use super::{Hands, Kind::*, NONE, Named, address, call};

/// Every family of sockets that Linux knows, and one more.
pub(super) const FAMILIES: RangeInclusive<usize> = 0..=46;

/// A number that no system call has, for the attempt on a family.
pub(super) const AS_NUMBER: u32 = u32::MAX;

/// A socket of each type in a family.
pub(super) fn every_type(family: usize) -> io::Result<i64> {
    const TYPES: RangeInclusive<u64> = 1..=10;
    let mut last = Err(io::Error::from_raw_os_error(libc::EPROTONOSUPPORT));
    for kind in TYPES {
        last = call(libc::SYS_socket, &[family as u64, kind, 0]).or(last);
    }
    last
}

pub(super) const WAYS: &[Named] = &[
    Named {
        name: "tcp",
        kind: Leak,
        what: "send the picture over TCP",
        attempt: |h| {
            let socket = loopback(h, libc::SOCK_STREAM)?;
            h.write_to(socket)
        },
    },
    Named {
        name: "udp",
        kind: Leak,
        what: "send it over UDP",
        attempt: |h| {
            let socket = loopback(h, libc::SOCK_DGRAM)?;
            h.write_to(socket)
        },
    },
    Named {
        name: "tcp-multipath",
        kind: Jailed,
        what: "the same over Multipath TCP",
        attempt: |_| {
            call(
                libc::SYS_socket,
                &[libc::AF_INET as u64, libc::SOCK_STREAM as u64, libc::IPPROTO_MPTCP as u64],
            )
        },
    },
    Named {
        name: "tcp-io-free",
        kind: Jailed,
        what: "a socket pair, and the picture into it",
        attempt: |h| {
            let mut pair = [0_i32; 2];
            call(
                libc::SYS_socketpair,
                &[libc::AF_UNIX as u64, 1, 0, (&raw mut pair).expose_provenance() as u64],
            )?;
            h.write_to(pair[0].into())
        },
    },
    Named {
        name: "ping",
        kind: Jailed,
        what: "in a ping (raw ICMP)",
        attempt: |_| call(libc::SYS_socket, &[libc::AF_INET as u64, libc::SOCK_RAW as u64, 1]),
    },
    Named {
        name: "netlink",
        kind: Jailed,
        what: "ask the kernel for a network (netlink)",
        attempt: |_| call(libc::SYS_socket, &[libc::AF_NETLINK as u64, libc::SOCK_RAW as u64, 0]),
    },
    Named {
        name: "virtual-socket",
        kind: Jailed,
        what: "to the machine's host (vsock)",
        attempt: |_| call(libc::SYS_socket, &[libc::AF_VSOCK as u64, libc::SOCK_STREAM as u64, 0]),
    },
    Named {
        name: "packet-socket",
        kind: Jailed,
        what: "as bare frames of the network (AF_PACKET)",
        attempt: |_| call(libc::SYS_socket, &[libc::AF_PACKET as u64, libc::SOCK_RAW as u64, 0]),
    },
    Named {
        name: "crypto-socket",
        kind: Jailed,
        what: "a socket of the kernel's ciphers (AF_ALG)",
        attempt: |_| call(libc::SYS_socket, &[libc::AF_ALG as u64, libc::SOCK_SEQPACKET as u64, 0]),
    },
    Named {
        name: "send-on-a-pipe",
        kind: Jailed,
        what: "sendto on the records' descriptor",
        attempt: |h| call(libc::SYS_sendto, &[4, h.pixels(), 64, 0, 0, 0]),
    },
    Named {
        name: "message-on-a-pipe",
        kind: Jailed,
        what: "sendmsg on it",
        attempt: |h| call(libc::SYS_sendmsg, &[4, h.pixels(), 0]),
    },
    Named {
        name: "listen",
        kind: Jailed,
        what: "wait for somebody to call (listen)",
        attempt: |_| call(libc::SYS_listen, &[3, 1]),
    },
    Named {
        name: "accept",
        kind: Jailed,
        what: "take a call (accept4)",
        attempt: |_| call(libc::SYS_accept4, &[3, 0, 0, 0]),
    },
    Named {
        name: "receive",
        kind: Jailed,
        what: "receive orders (recvfrom)",
        attempt: |h| call(libc::SYS_recvfrom, &[3, h.pixels(), 64, 0, 0, 0]),
    },
    Named {
        name: "old-socket-number",
        kind: Jailed,
        what: "connect on a descriptor that may be one",
        attempt: |_| call(libc::SYS_connect, &[NONE, 0, 16]),
    },
];

/// A socket connected to the port.
fn loopback(h: &Hands<'_>, kind: i32) -> io::Result<i64> {
    let socket = call(libc::SYS_socket, &[libc::AF_INET as u64, kind as u64, 0])?;
    let port = h.port().to_be_bytes();
    let family = (libc::AF_INET as u16).to_ne_bytes();
    let place: [u8; 16] = [family[0], family[1], port[0], port[1], 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    call(libc::SYS_connect, &[socket as u64, address(&place), place.len() as u64])?;
    Ok(socket)
}
