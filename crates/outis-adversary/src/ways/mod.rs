//! Every way out that we could think of, by name, and every system call by its number.

mod files;
mod kernel;
mod memory;
mod pipes;
mod processes;
mod records;
mod sockets;

use std::{
    ffi::CString,
    io::{self, Error},
    ops::RangeInclusive,
    os::unix::ffi::OsStrExt,
    path::Path,
};

use crate::{canary::Canary, ffi};

/// The numbers of system calls that are tried one by one: beyond the newest of Linux 6.18 (469).
pub const NUMBERS: RangeInclusive<u32> = 0..=470;

/// How many sets of edge arguments each number is tried with.
pub const EDGES: usize = 6;

/// What an attempt needs, and who must stop it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The kernel must stop it. Without the jail bytes of the picture get out.
    Leak,
    /// The kernel must stop it. Without the jail it would change more than this process.
    Jailed,
    /// The kernel lets whole records pass; the door must refuse this one.
    Record,
    /// The kernel lets whole records pass, and these are sound; the door must refuse the moments at which they come.
    Timed,
    /// The process ends by a fault, which must leave no memory image behind.
    Crash,
}

impl Kind {
    /// Its name in the list.
    pub fn name(self) -> &'static str {
        match self {
            Self::Leak => "leak",
            Self::Jailed => "jailed",
            Self::Record => "record",
            Self::Timed => "timed",
            Self::Crash => "crash",
        }
    }

    /// From its name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Leak, Self::Jailed, Self::Record, Self::Timed, Self::Crash]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// One named way out.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a function has nothing to show")]
pub struct Named {
    /// Its name on the command line.
    pub name: &'static str,
    /// Who must stop it.
    pub kind: Kind,
    /// What it is, for people.
    pub what: &'static str,
    attempt: fn(&Hands<'_>) -> io::Result<i64>,
}

/// One attempt.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a function has nothing to show")]
pub enum Way {
    /// By name.
    Named(Named),
    /// A system call's number, and which set of edge arguments.
    Number(u32, usize),
}

/// What is around the process, for those attempts that need a place to go to.
#[derive(Debug)]
pub struct Surroundings {
    folder: CString,
    file: CString,
    port: u16,
}

impl Surroundings {
    /// A folder that may be written to, and a port of this machine that somebody listens at.
    pub fn new(folder: &Path, port: u16) -> Self {
        // A name with a zero in it names nothing.
        let text = |path: &Path| CString::new(path.as_os_str().as_bytes()).unwrap_or_default();
        Self { folder: text(folder), file: text(&folder.join("leak")), port }
    }
}

/// All named ways out.
pub fn all() -> impl Iterator<Item = Named> {
    let tables =
        [files::WAYS, sockets::WAYS, pipes::WAYS, processes::WAYS, memory::WAYS, kernel::WAYS, records::WAYS];
    tables.into_iter().flatten().copied()
}

/// A way out by its name: of the list, `socket-family-N`, or a system call as `NUMBER@EDGE`.
pub fn by_name(name: &str) -> Option<Way> {
    if let Some((number, edge)) = name.split_once('@') {
        let (number, edge) = (number.parse().ok()?, edge.parse().ok()?);
        return (NUMBERS.contains(&number) && edge < EDGES).then_some(Way::Number(number, edge));
    }
    if let Some(family) = name.strip_prefix("socket-family-") {
        let family = family.parse().ok().filter(|family| sockets::FAMILIES.contains(family))?;
        return Some(Way::Number(sockets::AS_NUMBER, family));
    }
    all().find(|named| named.name == name).map(Way::Named)
}

impl Way {
    /// Gives the two descriptors the numbers that they have behind the lock, for an attempt without it.
    pub fn prepare(&self) {
        for (from, to) in [(0, 3), (1, 4)] {
            // What cannot be prepared fails in the attempt.
            let _ = ffi::call(libc::SYS_dup3, [from, to, 0, 0, 0, 0]);
        }
    }

    /// Makes the attempt: the process's last act.
    ///
    /// # Errors
    /// What the kernel answered, when it did no more than that.
    pub fn attempt(self, canary: &Canary, surroundings: &Surroundings) -> io::Result<i64> {
        let hands = Hands { canary, surroundings };
        match self {
            Self::Named(named) => (named.attempt)(&hands),
            Self::Number(sockets::AS_NUMBER, family) => sockets::every_type(family),
            Self::Number(number, edge) => ffi::call(number.into(), edges(&hands)[edge % EDGES]),
        }
    }
}

/// Arguments at the edges of what they can be, and those that would do most harm.
fn edges(hands: &Hands<'_>) -> [[u64; 6]; EDGES] {
    let pixels = hands.pixels();
    [[0; 6], [u64::MAX; 6], [1; 6], [4, pixels, 64, 0, 0, 0], [4, pixels, 4096, 0, 0, 0], [pixels; 6]]
}

/// What an attempt works with.
struct Hands<'a> {
    canary: &'a Canary,
    surroundings: &'a Surroundings,
}

impl Hands<'_> {
    /// Where the picture is in memory.
    fn pixels(&self) -> u64 {
        address(self.canary.pixels())
    }

    fn len(&self) -> u64 {
        self.canary.pixels().len() as u64
    }

    /// The name of a file that does not exist yet.
    fn file(&self) -> u64 {
        self.surroundings.file.as_ptr().expose_provenance() as u64
    }

    fn folder(&self) -> u64 {
        self.surroundings.folder.as_ptr().expose_provenance() as u64
    }

    fn port(&self) -> u16 {
        self.surroundings.port
    }

    /// Writes the picture to a descriptor, as anybody would.
    fn write_to(&self, descriptor: i64) -> io::Result<i64> {
        call(libc::SYS_write, &[descriptor as u64, self.pixels(), self.len()])
    }

    /// One vector of the whole picture.
    fn vector(&self) -> [u64; 2] {
        [self.pixels(), self.len()]
    }
}

/// The folder a process is in, as the kernel's calls name it.
const HERE: u64 = libc::AT_FDCWD as i64 as u64;

/// No descriptor, no size, no limit.
const NONE: u64 = u64::MAX;

fn call(number: i64, arguments: &[u64]) -> io::Result<i64> {
    let mut all = [0; 6];
    all.iter_mut().zip(arguments).for_each(|(slot, argument)| *slot = *argument);
    ffi::call(number, all)
}

/// The address of something, as an argument.
fn address<T: ?Sized>(of: &T) -> u64 {
    (&raw const *of).cast::<u8>().expose_provenance() as u64
}

/// An error of our own making, for what cannot even be asked for here.
#[cfg_attr(target_arch = "x86_64", allow(dead_code))]
fn not_here() -> Error {
    Error::from_raw_os_error(libc::ENOSYS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_way_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = all().map(|named| named.name).collect();
        assert_eq!(names.len(), all().count());
        assert!(names.len() > 100, "{}", names.len());
        for named in all() {
            assert!(by_name(named.name).is_some() && Kind::from_name(named.kind.name()) == Some(named.kind));
            assert!(!named.name.contains(['@', '\t', ' ']) && named.what.len() > 5, "{}", named.name);
        }
    }
}
