//! The descriptors that a locked program has, under fixed numbers that the rules name: 3 to read, 4 to write, and for an
//! eye whose camera has a second stream 5 to read.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    mem::ManuallyDrop,
    os::fd::{AsRawFd, OwnedFd, RawFd},
};

use crate::{JailError, ffi};

/// The bytes of one record; the eye can write nothing else.
pub const RECORD_LEN: usize = 64;

/// The bytes of one block; a maker of stills can write nothing else. A pipe takes so much whole or not at all (pipe(7):
/// PIPE_BUF).
pub const BLOCK_LEN: usize = 4096;

/// What a program is left with, before the numbers are theirs.
#[derive(Debug)]
pub(crate) struct Ends {
    input: OwnedFd,
    output: OwnedFd,
}

impl Ends {
    /// Packets on standard input, records on standard output: the eye's.
    ///
    /// # Errors
    /// When standard output is not a pipe: in a file, records would be bytes that somebody finds.
    pub(crate) fn from_stdio() -> Result<Self, JailError> {
        Self::from_source(ffi::duplicate(0).map_err(JailError::step("use standard input"))?)
    }

    /// An open source, and packets on standard output: the intake's.
    ///
    /// # Errors
    /// When standard output is not a pipe.
    pub(crate) fn from_source(source: OwnedFd) -> Result<Self, JailError> {
        let output = ffi::duplicate(1).map_err(JailError::step("use standard output"))?;
        if !ffi::is_pipe(&output) {
            return Err(JailError::NotAPipe("standard output"));
        }
        Ok(Self { input: source, output })
    }

    /// Gives them their numbers, and closes everything else but standard error.
    pub(crate) fn renumber(self) -> Result<(Input, Output), JailError> {
        let [input, output] =
            ffi::keep_only([self.input, self.output]).map_err(JailError::step("sort descriptors"))?;
        Ok((Input(input), Output(output)))
    }

    /// The same with the packets of a second stream.
    pub(crate) fn renumber_with(self, substream: OwnedFd) -> Result<(Input, Output, Substream), JailError> {
        let [input, output, substream] = ffi::keep_only([self.input, self.output, substream])
            .map_err(JailError::step("sort descriptors"))?;
        Ok((Input(input), Output(output), Substream(substream)))
    }
}

/// The packets of a camera's second stream, which an eye is started with on descriptor 5. They are read without waiting.
///
/// # Errors
/// When descriptor 5 is not a pipe.
pub(crate) fn substream() -> Result<OwnedFd, JailError> {
    let not_a_pipe = || JailError::NotAPipe("descriptor 5, for the substream,");
    let input = ffi::duplicate(ffi::SUBSTREAM).map_err(|_| not_a_pipe())?;
    if !ffi::is_pipe(&input) {
        return Err(not_a_pipe());
    }
    ffi::do_not_wait(&input).map_err(JailError::step("read without waiting"))?;
    Ok(input)
}

/// Packets on standard output, and no input yet: those of an intake that must connect first.
///
/// # Errors
/// When standard output is not a pipe.
pub(crate) fn only_output() -> Result<Output, JailError> {
    let output = ffi::duplicate(1).map_err(JailError::step("use standard output"))?;
    if !ffi::is_pipe(&output) {
        return Err(JailError::NotAPipe("standard output"));
    }
    Ok(Output(ffi::keep_only_output(output).map_err(JailError::step("sort descriptors"))?))
}

/// Descriptor 3: the packets of an eye, the source of an intake. Never closed; the process ends first.
#[derive(Debug)]
pub struct Input(ManuallyDrop<File>);

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl AsRawFd for Input {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl Seek for Input {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

/// Descriptor 5: the packets of a camera's second stream, for an eye. A read never waits: where nothing has come, it fails
/// with [`WouldBlock`](io::ErrorKind::WouldBlock). Never closed.
#[derive(Debug)]
pub struct Substream(ManuallyDrop<File>);

impl Read for Substream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

/// Descriptor 4: records of an eye, packets of an intake. Never closed.
#[derive(Debug)]
pub struct Output(ManuallyDrop<File>);

impl Output {
    /// For a program that may write whole records only.
    pub(crate) fn into_records(self) -> Records {
        Records(self)
    }

    /// For a program that may write whole blocks only.
    pub(crate) fn into_blocks(self) -> Blocks {
        Blocks(self)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Descriptor 4 of an eye. Each write takes one record off the front of what it is given, as the filter wants it.
#[derive(Debug)]
pub struct Records(Output);

impl Write for Records {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let record = bytes.first_chunk::<RECORD_LEN>();
        let record =
            record.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "only whole records leave"))?;
        // A pipe takes 64 bytes whole or not at all (pipe(7): PIPE_BUF), so a part is never left to be written.
        self.0.write(record)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Descriptor 4 of a maker of stills.
#[derive(Debug)]
pub struct Blocks(Output);

impl Blocks {
    /// Writes bytes in whole blocks, the last of them filled up with zeros.
    ///
    /// # Errors
    /// When nobody reads them.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(BLOCK_LEN) {
            let mut block = [0; BLOCK_LEN];
            block[..piece.len()].copy_from_slice(piece);
            self.0.write_all(&block)?;
        }
        Ok(())
    }
}
