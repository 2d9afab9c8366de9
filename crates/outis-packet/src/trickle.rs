//! The eye's side of a stream that nobody waits for: what has come is taken, what has not will be the next time.

use std::io::{ErrorKind, Read};

use crate::{
    Ending, Header, Item, Packet, ReadError,
    read::{Next, get_header, get_item},
};

/// How much is read at once, in bytes: what a pipe holds.
const STEP_BYTES: usize = 64 << 10;

/// Reads one stream from an input whose reads fail with [`WouldBlock`](ErrorKind::WouldBlock) where they would wait.
#[derive(Debug)]
pub struct Trickle<R: Read> {
    input: R,
    header: Option<Header>,
    /// What came and is not a whole header or item yet.
    came: Vec<u8>,
    extradata: Vec<u8>,
    data: Vec<u8>,
    ended: Option<Ending>,
}

impl<R: Read> Trickle<R> {
    /// A stream of which nothing has come.
    pub fn new(input: R) -> Self {
        Self { input, header: None, came: Vec::new(), extradata: Vec::new(), data: Vec::new(), ended: None }
    }

    /// The parameters of the stream, or `None` when they have not come yet.
    ///
    /// # Errors
    /// As [`read`](Self::read); without a whole header there is no stream.
    pub fn read_header(&mut self) -> Result<Option<&Header>, ReadError> {
        while self.header.is_none() {
            self.header = whole(&mut self.came, |came| get_header(came))?;
            if self.header.is_none() {
                match self.fill()? {
                    Came::Some => {}
                    Came::Nothing => return Ok(None),
                    Came::End => return Err(ReadError::NoStream),
                }
            }
        }
        Ok(self.header.as_ref())
    }

    /// The next item, or `None` when it has not come yet. A stream that stops without its end marker is
    /// [`Ending::Truncated`].
    ///
    /// # Errors
    /// When the pipe fails or the bytes are not valid; the stream counts as truncated from then on.
    // Not an `Iterator`: a packet is borrowed from the reader until the next one is asked for.
    pub fn read(&mut self) -> Result<Option<Item<'_>>, ReadError> {
        if let Some(ending) = self.ended {
            return Ok(Some(Item::End(ending)));
        }
        match self.next() {
            Ok(Some(Next::Packet(fields))) => {
                Ok(Some(Item::Packet(Packet { new_extradata: &self.extradata, data: &self.data, ..fields })))
            }
            Ok(Some(Next::End(ending))) => {
                self.ended = Some(ending);
                Ok(Some(Item::End(ending)))
            }
            Ok(None) => Ok(None),
            Err(error) => {
                self.ended = Some(Ending::Truncated);
                Err(error)
            }
        }
    }

    fn next(&mut self) -> Result<Option<Next>, ReadError> {
        if self.read_header()?.is_none() {
            return Ok(None);
        }
        loop {
            let (extradata, data) = (&mut self.extradata, &mut self.data);
            if let Some(next) = whole(&mut self.came, |came| get_item(came, extradata, data))? {
                return Ok(Some(next));
            }
            match self.fill()? {
                Came::Some => {}
                Came::Nothing => return Ok(None),
                Came::End => return Ok(Some(Next::End(Ending::Truncated))),
            }
        }
    }

    /// Takes what has come.
    fn fill(&mut self) -> Result<Came, ReadError> {
        let before = self.came.len();
        self.came.resize(before + STEP_BYTES, 0);
        let read = self.input.read(&mut self.came[before..]);
        self.came.truncate(before + read.as_ref().map_or(0, |read| (*read).min(STEP_BYTES)));
        match read {
            Ok(0) => Ok(Came::End),
            Ok(_) => Ok(Came::Some),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Came::Nothing),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(Came::Some),
            Err(error) => Err(error.into()),
        }
    }
}

/// What a read without waiting gave.
enum Came {
    Some,
    Nothing,
    End,
}

/// Takes what `get` reads off the front of what came, when it is there as a whole.
fn whole<T>(
    came: &mut Vec<u8>,
    get: impl FnOnce(&mut &[u8]) -> Result<T, ReadError>,
) -> Result<Option<T>, ReadError> {
    let mut rest = came.as_slice();
    match get(&mut rest) {
        Ok(item) => {
            let taken = came.len() - rest.len();
            came.drain(..taken);
            Ok(Some(item))
        }
        Err(ReadError::Io(error)) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use proptest::prelude::*;

    use super::*;
    use crate::{Reader, Writer, read::tests::header};

    /// Gives its bytes in pieces, and says after each that there is nothing.
    struct Pieces<'a> {
        bytes: &'a [u8],
        sizes: Vec<usize>,
        is_dry: bool,
    }

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.is_dry = !self.is_dry;
            if self.is_dry {
                return Err(ErrorKind::WouldBlock.into());
            }
            let size = self.sizes.pop().unwrap_or(usize::MAX).min(buffer.len()).min(self.bytes.len());
            buffer[..size].copy_from_slice(&self.bytes[..size]);
            self.bytes = &self.bytes[size..];
            Ok(size)
        }
    }

    fn stream(packets: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, &header()).unwrap();
        for (index, data) in packets.iter().enumerate() {
            let packet = Packet { pts: Some(index as i64), key: index == 0, data, ..Packet::default() };
            writer.packet(&packet).unwrap();
        }
        writer.end(Ending::Complete).unwrap();
        bytes
    }

    /// What a reader that waits makes of them: the bytes of each packet, and the end.
    fn waited_for(bytes: &[u8]) -> (Vec<Vec<u8>>, Option<Ending>) {
        let Ok(mut reader) = Reader::new(bytes) else { return (Vec::new(), None) };
        let mut packets = Vec::new();
        loop {
            match reader.read() {
                Ok(Item::Packet(packet)) => packets.push(packet.data.to_vec()),
                Ok(Item::End(ending)) => return (packets, Some(ending)),
                Err(_) => return (packets, None),
            }
        }
    }

    fn trickled(bytes: &[u8], sizes: Vec<usize>) -> (Vec<Vec<u8>>, Option<Ending>) {
        let mut trickle = Trickle::new(Pieces { bytes, sizes, is_dry: false });
        let mut packets = Vec::new();
        loop {
            match trickle.read() {
                Ok(None) => {}
                Ok(Some(Item::Packet(packet))) => packets.push(packet.data.to_vec()),
                Ok(Some(Item::End(ending))) => return (packets, Some(ending)),
                Err(_) => return (packets, None),
            }
        }
    }

    proptest! {
        #[test]
        fn in_whatever_pieces_it_comes_it_is_the_same_stream(
            packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..8),
            sizes in proptest::collection::vec(1_usize..90, 0..60),
            cut in 0_usize..4000,
            flipped in proptest::option::of((0_usize..4000, any::<u8>())),
        ) {
            let mut bytes = stream(&packets);
            bytes.truncate(cut.max(1));
            if let Some((place, with)) = flipped
                && let Some(byte) = bytes.get_mut(place)
            {
                *byte ^= with;
            }
            prop_assert_eq!(trickled(&bytes, sizes), waited_for(&bytes));
        }
    }
}
