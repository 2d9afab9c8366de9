//! Through the two descriptors that there are, in another form than a record, and through those that were closed.

use super::{Kind::*, NONE, Named, address, call};

pub(super) const WAYS: &[Named] = &[
    Named {
        name: "long-write",
        kind: Leak,
        what: "write the whole picture to the records' pipe",
        attempt: |h| h.write_to(4),
    },
    Named {
        name: "one-byte-more",
        kind: Leak,
        what: "a record and one byte",
        attempt: |h| call(libc::SYS_write, &[4, h.pixels(), 65]),
    },
    Named {
        name: "one-byte-less",
        kind: Leak,
        what: "a record less one byte",
        attempt: |h| call(libc::SYS_write, &[4, h.pixels(), 63]),
    },
    Named {
        name: "nothing",
        kind: Jailed,
        what: "a write of no bytes, whose time tells",
        attempt: |h| call(libc::SYS_write, &[4, h.pixels(), 0]),
    },
    Named {
        name: "length-beyond-32-bits",
        kind: Leak,
        what: "64 bytes and four gigabytes",
        attempt: |h| call(libc::SYS_write, &[4, h.pixels(), 64 | 1 << 32]),
    },
    Named {
        name: "vector",
        kind: Leak,
        what: "writev to the records' pipe",
        attempt: |h| call(libc::SYS_writev, &[4, address(&h.vector()), 1]),
    },
    Named {
        name: "vector-at",
        kind: Jailed,
        what: "pwritev2 to it",
        attempt: |h| call(libc::SYS_pwritev2, &[4, address(&h.vector()), 1, NONE, NONE, 0]),
    },
    Named {
        name: "write-at",
        kind: Jailed,
        what: "pwrite64 to it",
        attempt: |h| call(libc::SYS_pwrite64, &[4, h.pixels(), 64, 0]),
    },
    Named {
        name: "give-pages",
        kind: Leak,
        what: "give pages of memory to the pipe (vmsplice)",
        attempt: |h| call(libc::SYS_vmsplice, &[4, address(&h.vector()), 1, 0]),
    },
    Named {
        name: "splice",
        kind: Leak,
        what: "pass video on undecoded (splice)",
        attempt: |_| call(libc::SYS_splice, &[3, 0, 4, 0, 4096, 0]),
    },
    Named {
        name: "tee",
        kind: Leak,
        what: "copy video on undecoded (tee)",
        attempt: |_| call(libc::SYS_tee, &[3, 4, 4096, 0]),
    },
    Named {
        name: "sendfile",
        kind: Jailed,
        what: "pass it on (sendfile)",
        attempt: |_| call(libc::SYS_sendfile, &[4, 3, 0, 4096]),
    },
    Named {
        name: "copy-range",
        kind: Jailed,
        what: "pass it on (copy_file_range)",
        attempt: |_| call(libc::SYS_copy_file_range, &[3, 0, 4, 0, 4096, 0]),
    },
    Named {
        name: "standard-error",
        kind: Leak,
        what: "write it to standard error",
        attempt: |h| h.write_to(2),
    },
    Named {
        name: "standard-error-record",
        kind: Jailed,
        what: "64 bytes to standard error",
        attempt: |h| call(libc::SYS_write, &[2, h.pixels(), 64]),
    },
    Named {
        name: "standard-output",
        kind: Leak,
        what: "write it to standard output",
        attempt: |h| h.write_to(1),
    },
    Named {
        name: "backwards",
        kind: Jailed,
        what: "write it into the pipe that packets come from",
        attempt: |h| call(libc::SYS_write, &[3, h.pixels(), 64]),
    },
    Named {
        name: "read-elsewhere",
        kind: Jailed,
        what: "read from the records' pipe",
        attempt: |h| call(libc::SYS_read, &[4, h.pixels(), 64]),
    },
    Named {
        name: "second-number",
        kind: Jailed,
        what: "another number for the pipe (dup)",
        attempt: |_| call(libc::SYS_dup, &[4]),
    },
    Named {
        name: "chosen-number",
        kind: Jailed,
        what: "the same with a chosen number (dup3)",
        attempt: |_| call(libc::SYS_dup3, &[4, 3, 0]),
    },
    Named {
        name: "new-pipe",
        kind: Jailed,
        what: "a pipe of its own (pipe2)",
        attempt: |h| call(libc::SYS_pipe2, &[h.pixels(), 0]),
    },
    Named {
        name: "pipe-size",
        kind: Jailed,
        what: "bits of it as the size of the pipe (fcntl)",
        attempt: |_| call(libc::SYS_fcntl, &[4, 1031, 65_536]),
    },
    Named {
        name: "pipe-flags",
        kind: Jailed,
        what: "bits of it as flags of the pipe (fcntl)",
        attempt: |_| call(libc::SYS_fcntl, &[4, 4, libc::O_NONBLOCK as u64]),
    },
    Named {
        name: "device-control",
        kind: Jailed,
        what: "ask a device (ioctl)",
        attempt: |h| call(libc::SYS_ioctl, &[4, 0x541B, h.pixels()]),
    },
    Named {
        name: "wait-for-either",
        kind: Jailed,
        what: "listen at both ends (poll)",
        attempt: |h| call(libc::SYS_ppoll, &[h.pixels(), 1, 0, 0, 0]),
    },
    Named {
        name: "ring",
        kind: Jailed,
        what: "calls by way of a ring in memory (io_uring)",
        attempt: |h| call(libc::SYS_io_uring_setup, &[8, h.pixels()]),
    },
    Named {
        name: "ring-enter",
        kind: Jailed,
        what: "the same, second step",
        attempt: |_| call(libc::SYS_io_uring_enter, &[3, 1, 1, 0, 0, 0]),
    },
    Named {
        name: "old-ring",
        kind: Jailed,
        what: "calls that are done later (io_setup)",
        attempt: |h| call(libc::SYS_io_setup, &[8, h.pixels()]),
    },
];
