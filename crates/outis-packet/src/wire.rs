//! Numbers and byte strings on the wire, little-endian. Knows no field.

use std::io::{self, Read, Write};

/// Stands for "unknown" among times. Real times of a stream are far from it.
const NO_TIME: i64 = i64::MIN;

pub(crate) fn put<const N: usize>(out: &mut impl Write, bytes: [u8; N]) -> io::Result<()> {
    out.write_all(&bytes)
}

/// Writes a byte string with its length before it. The caller has checked that the length fits.
pub(crate) fn put_bytes(out: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let len = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    put(out, len.to_le_bytes())?;
    out.write_all(bytes)
}

pub(crate) fn put_time(out: &mut impl Write, time: Option<i64>) -> io::Result<()> {
    put(out, time.unwrap_or(NO_TIME).to_le_bytes())
}

pub(crate) fn get<const N: usize>(input: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Reads a byte string into `out`. Returns `Err` with the stated length when it is above `max`.
///
/// Memory grows with the bytes that arrive, not with the length that is stated.
pub(crate) fn get_bytes(
    input: &mut impl Read,
    max: usize,
    out: &mut Vec<u8>,
) -> io::Result<Result<(), usize>> {
    out.clear();
    let stated = u32::from_le_bytes(get(input)?) as usize;
    if stated > max {
        return Ok(Err(stated));
    }
    let read = input.take(stated as u64).read_to_end(out)?;
    if read < stated { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(Ok(())) }
}

pub(crate) fn get_time(input: &mut impl Read) -> io::Result<Option<i64>> {
    let time = i64::from_le_bytes(get(input)?);
    Ok((time != NO_TIME).then_some(time))
}
