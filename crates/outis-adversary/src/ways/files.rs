//! Onto a disk: contents, names and marks of files.

use super::{HERE, Hands, Kind::*, Named, address, call};

const CREATE: u64 = (libc::O_CREAT | libc::O_RDWR) as u64;
const MODE: u64 = 0o600;

pub(super) const WAYS: &[Named] = &[
    Named {
        name: "file",
        kind: Leak,
        what: "write the picture to a new file",
        attempt: |h| h.write_to(call(libc::SYS_openat, &[HERE, h.file(), CREATE, MODE])?),
    },
    Named {
        name: "file-openat2",
        kind: Leak,
        what: "the same by the newer call",
        attempt: |h| h.write_to(call(libc::SYS_openat2, &[HERE, h.file(), address(&[CREATE, MODE, 0]), 24])?),
    },
    Named {
        name: "file-in-tmp",
        kind: Jailed,
        what: "write it to a file in /tmp",
        attempt: |h| h.write_to(call(libc::SYS_openat, &[HERE, address(c"/tmp/outis-leak"), CREATE, MODE])?),
    },
    Named {
        name: "file-in-shared-memory",
        kind: Jailed,
        what: "write it to a file in /dev/shm",
        attempt: |h| {
            h.write_to(call(libc::SYS_openat, &[HERE, address(c"/dev/shm/outis-leak"), CREATE, MODE])?)
        },
    },
    Named {
        name: "file-without-a-name",
        kind: Jailed,
        what: "a file that no folder lists (O_TMPFILE)",
        attempt: |h| {
            h.write_to(call(
                libc::SYS_openat,
                &[HERE, h.folder(), (libc::O_TMPFILE | libc::O_RDWR) as u64, MODE],
            )?)
        },
    },
    Named {
        name: "own-memory-file",
        kind: Jailed,
        what: "open /proc/self/mem",
        attempt: |_| call(libc::SYS_openat, &[HERE, address(c"/proc/self/mem"), libc::O_RDWR as u64]),
    },
    Named {
        name: "terminal",
        kind: Jailed,
        what: "write it to the terminal",
        attempt: |h| {
            h.write_to(call(libc::SYS_openat, &[HERE, address(c"/dev/tty"), libc::O_WRONLY as u64])?)
        },
    },
    Named {
        name: "kernel-log",
        kind: Jailed,
        what: "write it to the kernel's log (/dev/kmsg)",
        attempt: |h| {
            h.write_to(call(libc::SYS_openat, &[HERE, address(c"/dev/kmsg"), libc::O_WRONLY as u64])?)
        },
    },
    Named {
        name: "file-by-handle",
        kind: Jailed,
        what: "open a file without its name (open_by_handle_at)",
        attempt: |h| call(libc::SYS_open_by_handle_at, &[HERE, h.pixels(), 0]),
    },
    Named {
        name: "folder-name",
        kind: Leak,
        what: "bytes of it as the name of a folder",
        attempt: |h| {
            let name = in_folder(h);
            call(libc::SYS_mkdirat, &[HERE, address(&*name), 0o700])
        },
    },
    Named {
        name: "link-target",
        kind: Leak,
        what: "bytes of it as where a link points to",
        attempt: |h| {
            let name = in_folder(h);
            call(libc::SYS_symlinkat, &[address(&*name), HERE, h.file()])
        },
    },
    Named {
        name: "special-file",
        kind: Jailed,
        what: "a pipe in a folder (mknodat)",
        attempt: |h| call(libc::SYS_mknodat, &[HERE, h.file(), u64::from(libc::S_IFIFO | 0o600), 0]),
    },
    Named {
        name: "file-attribute",
        kind: Jailed,
        what: "as an attribute of a folder (setxattr)",
        attempt: |h| call(libc::SYS_setxattr, &[h.folder(), address(c"user.outis"), h.pixels(), 64, 0]),
    },
    Named {
        name: "file-times",
        kind: Jailed,
        what: "bits of it as a time stamp (utimensat)",
        attempt: |h| call(libc::SYS_utimensat, &[HERE, h.folder(), h.pixels(), 0]),
    },
    Named {
        name: "file-mode",
        kind: Jailed,
        what: "bits of it as access rights (fchmodat)",
        attempt: |h| call(libc::SYS_fchmodat, &[HERE, h.folder(), 0o711]),
    },
    Named {
        name: "file-size",
        kind: Jailed,
        what: "bits of it as the size of a file (truncate)",
        attempt: |h| call(libc::SYS_truncate, &[h.file(), 12_345]),
    },
    Named {
        name: "file-rename",
        kind: Jailed,
        what: "as a new name (renameat2)",
        attempt: |h| {
            let name = in_folder(h);
            call(libc::SYS_renameat2, &[HERE, h.folder(), HERE, address(&*name), 0])
        },
    },
    Named {
        name: "hard-link",
        kind: Jailed,
        what: "as a second name (linkat)",
        attempt: |h| call(libc::SYS_linkat, &[HERE, address(c"/proc/self/exe"), HERE, h.file(), 0]),
    },
    Named {
        name: "file-lock",
        kind: Jailed,
        what: "bits of it as locks on a file (flock)",
        attempt: |_| call(libc::SYS_flock, &[3, 2]),
    },
    Named {
        name: "memory-file",
        kind: Jailed,
        what: "a file in memory (memfd_create)",
        attempt: |h| h.write_to(call(libc::SYS_memfd_create, &[address(c"leak"), 0])?),
    },
    Named {
        name: "secret-memory",
        kind: Jailed,
        what: "a file of secret memory (memfd_secret)",
        attempt: |_| call(libc::SYS_memfd_secret, &[0]),
    },
    Named {
        name: "watch-files",
        kind: Jailed,
        what: "watch files for answers from outside (inotify)",
        attempt: |_| call(libc::SYS_inotify_init1, &[0]),
    },
];

/// A name in the folder, whose last part is the picture's beginning.
fn in_folder(h: &Hands<'_>) -> Box<[u8]> {
    let mark = h.canary.pixels().iter().take(crate::Canary::MARK.len());
    let mark = mark.map(|byte| if [0, b'/'].contains(byte) { b'_' } else { *byte });
    h.surroundings.folder.as_bytes().iter().copied().chain([b'/']).chain(mark).chain([0]).collect()
}
