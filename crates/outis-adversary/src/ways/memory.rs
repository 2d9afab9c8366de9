//! By way of memory: shared with others, made executable, or a file's.

use super::{Kind::*, NONE, Named, address, call};

const READ_WRITE: u64 = (libc::PROT_READ | libc::PROT_WRITE) as u64;
const ANONYMOUS: u64 = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as u64;

pub(super) const WAYS: &[Named] = &[
    Named {
        name: "code",
        kind: Jailed,
        what: "memory for code of its own (mmap)",
        attempt: |_| {
            call(libc::SYS_mmap, &[0, 4096, READ_WRITE | libc::PROT_EXEC as u64, ANONYMOUS, NONE, 0])
        },
    },
    Named {
        name: "code-later",
        kind: Jailed,
        what: "make memory executable (mprotect)",
        attempt: |h| call(libc::SYS_mprotect, &[h.pixels() & !4095, 4096, libc::PROT_EXEC as u64 | 1]),
    },
    Named {
        name: "code-by-key",
        kind: Jailed,
        what: "the same with a key (pkey_mprotect)",
        attempt: |h| call(libc::SYS_pkey_mprotect, &[h.pixels() & !4095, 4096, 7, NONE]),
    },
    Named {
        name: "map-video",
        kind: Jailed,
        what: "map the input into memory",
        attempt: |_| call(libc::SYS_mmap, &[0, 4096, READ_WRITE, libc::MAP_SHARED as u64, 3, 0]),
    },
    Named {
        name: "map-shared",
        kind: Jailed,
        what: "memory to share with a child",
        attempt: |_| {
            let flags = (libc::MAP_SHARED | libc::MAP_ANONYMOUS) as u64;
            call(libc::SYS_mmap, &[0, 4096, READ_WRITE, flags, NONE, 0])
        },
    },
    Named {
        name: "map-over-code",
        kind: Jailed,
        what: "put memory over code (MAP_FIXED)",
        attempt: |_| {
            let flags = ANONYMOUS | libc::MAP_FIXED as u64;
            call(libc::SYS_mmap, &[0x10000, 4096, READ_WRITE, flags, NONE, 0])
        },
    },
    Named {
        name: "move-over-code",
        kind: Jailed,
        what: "move memory over code (mremap)",
        attempt: |h| {
            let flags = (libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED) as u64;
            call(libc::SYS_mremap, &[h.pixels() & !4095, 4096, 4096, flags, 0x10000])
        },
    },
    Named {
        name: "into-dumps",
        kind: Jailed,
        what: "have its memory dumped after all (madvise)",
        attempt: |h| call(libc::SYS_madvise, &[h.pixels() & !4095, 4096, libc::MADV_DODUMP as u64]),
    },
    Named {
        name: "same-pages",
        kind: Jailed,
        what: "have equal pages merged, whose time tells (KSM)",
        attempt: |h| call(libc::SYS_madvise, &[h.pixels() & !4095, 4096, libc::MADV_MERGEABLE as u64]),
    },
    Named {
        name: "advise-another",
        kind: Jailed,
        what: "advice on another process's memory",
        attempt: |h| call(libc::SYS_process_madvise, &[3, address(&h.vector()), 1, 4, 0]),
    },
    Named {
        name: "lock-memory",
        kind: Jailed,
        what: "bits of it as locked memory (mlock)",
        attempt: |h| call(libc::SYS_mlock, &[h.pixels(), 4096]),
    },
    Named {
        name: "shared-memory",
        kind: Jailed,
        what: "a segment of shared memory (shmget)",
        attempt: |_| call(libc::SYS_shmget, &[0x0715, 4096, 0o1666]),
    },
    Named {
        name: "attach-memory",
        kind: Jailed,
        what: "attach one (shmat)",
        attempt: |_| call(libc::SYS_shmat, &[0, 0, 0]),
    },
    Named {
        name: "message-queue",
        kind: Jailed,
        what: "a queue of messages (msgget)",
        attempt: |_| call(libc::SYS_msgget, &[0x0715, 0o1666]),
    },
    Named {
        name: "message",
        kind: Jailed,
        what: "a message in it (msgsnd)",
        attempt: |h| call(libc::SYS_msgsnd, &[0, h.pixels(), 64, 0]),
    },
    Named {
        name: "semaphore",
        kind: Jailed,
        what: "bits of it as a semaphore (semget)",
        attempt: |_| call(libc::SYS_semget, &[0x0715, 1, 0o1666]),
    },
    Named {
        name: "named-queue",
        kind: Jailed,
        what: "a queue with a name (mq_open)",
        attempt: |_| {
            call(libc::SYS_mq_open, &[address(c"leak"), (libc::O_CREAT | libc::O_RDWR) as u64, 0o600, 0])
        },
    },
    Named {
        name: "wait-with-others",
        kind: Jailed,
        what: "a lock that other processes share (futex)",
        attempt: |h| call(libc::SYS_futex, &[h.pixels(), 1, 1]),
    },
    Named {
        name: "page-faults",
        kind: Jailed,
        what: "let another handle its page faults (userfaultfd)",
        attempt: |_| call(libc::SYS_userfaultfd, &[0]),
    },
];
