//! As records: 64 bytes each, which the kernel lets pass. What they say is for the door to judge.

use std::io;

use outis_record::{Alert, AlertKind, AlertPlace, Message, Notice, Outcome, Progress, RECORD_LEN, Record};

use super::{
    Kind::{Record as ByTheDoor, Timed},
    Named, address, call,
};

pub(super) const WAYS: &[Named] = &[
    Named {
        name: "record-of-pixels",
        kind: ByTheDoor,
        what: "64 pixels in place of a record",
        attempt: |h| call(libc::SYS_write, &[4, h.pixels(), RECORD_LEN as u64]),
    },
    Named {
        name: "all-as-records",
        kind: ByTheDoor,
        what: "the whole picture, 64 pixels at a time",
        attempt: |h| {
            for line in h.canary.pixels().chunks_exact(RECORD_LEN) {
                call(libc::SYS_write, &[4, address(line), RECORD_LEN as u64])?;
            }
            Ok(0)
        },
    },
    Named {
        name: "unused-bytes",
        kind: ByTheDoor,
        what: "pixels in the unused bytes of a sound record",
        attempt: |h| {
            let mut record =
                *Record::from(Message::Notice { notice: Notice::DamagedPacket, count: 1 }).as_bytes();
            let unused = record.iter_mut().rev().take(16);
            unused.zip(h.canary.pixels()).for_each(|(byte, pixel)| *byte = *pixel);
            write(&record)
        },
    },
    Named {
        name: "unknown-kind",
        kind: ByTheDoor,
        what: "a record of a kind that there is not",
        attempt: |_| write(&[0xee; RECORD_LEN]),
    },
    Named {
        name: "empty-record",
        kind: ByTheDoor,
        what: "a record of zeros",
        attempt: |_| write(&[0; RECORD_LEN]),
    },
    Named {
        name: "after-the-end",
        kind: ByTheDoor,
        what: "a record after the last one",
        attempt: |h| {
            let end = Message::End { outcome: Outcome::Complete, progress: Progress::default() };
            write(Record::from(end).as_bytes())?;
            call(libc::SYS_write, &[4, h.pixels(), RECORD_LEN as u64])
        },
    },
    Named {
        name: "progress-as-morse",
        kind: Timed,
        what: "a bit of the picture in each gap between words of progress",
        attempt: |h| morse(h, Message::Progress(Progress::default())),
    },
    Named {
        name: "fault-as-morse",
        kind: Timed,
        what: "a bit of the picture in each gap between faults",
        attempt: |h| morse(h, Message::Notice { notice: Notice::DamagedPacket, count: 1 }),
    },
    Named {
        name: "alert-as-morse",
        kind: Timed,
        what: "a bit of the picture in each gap between alerts",
        attempt: |h| morse(h, Message::Alert(Alert { kind: AlertKind::TooClose, place: AlertPlace::View })),
    },
    Named {
        name: "time-ahead",
        kind: Timed,
        what: "pixels as the hour at which the video is said to be",
        attempt: |h| {
            let hours = h.canary.pixels().iter().copied().find(|pixel| *pixel > 0).unwrap_or(1);
            let progress = Progress { media_ms: 3_600_000 * u64::from(hours), ..Progress::default() };
            write(Record::from(Message::Progress(progress)).as_bytes())
        },
    },
];

/// Says the same sound record again and again. Between two of them it looks at its memory for a while where a bit is set:
/// behind the lock there is no clock and no sleep to wait by.
fn morse(held: &super::Hands<'_>, message: Message) -> io::Result<i64> {
    const BITS: usize = 64;
    const TURNS: u32 = 100_000;
    let record = Record::from(message);
    for pixel in held.canary.pixels().iter().take(BITS) {
        write(record.as_bytes())?;
        for turn in 0..TURNS * u32::from(pixel & 1) {
            std::hint::black_box(turn);
        }
    }
    Ok(0)
}

fn write(record: &[u8; RECORD_LEN]) -> io::Result<i64> {
    call(libc::SYS_write, &[4, address(record), RECORD_LEN as u64])
}
