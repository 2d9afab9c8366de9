//! Reads 64-byte records from an eye's pipe. It knows their form; what they may say in their order
//! is the assembler's.

use std::io;

use outis_record::{Message, RECORD_LEN, Record, RecordError};
use tokio::io::{AsyncRead, AsyncReadExt, BufReader};

/// The records of one pipe.
#[derive(Debug)]
pub(crate) struct RecordReader<R> {
    pipe: BufReader<R>,
    bytes: [u8; RECORD_LEN],
    /// How much of the record is there.
    filled: usize,
}

/// Why reading stopped before the pipe's end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("it broke off within a record, after {0} of {RECORD_LEN} bytes")]
    Torn(usize),
    #[error("it sent a malformed record: {0}")]
    Malformed(#[from] RecordError),
    #[error("its pipe cannot be read: {0}")]
    Pipe(#[from] io::Error),
}

impl<R: AsyncRead + Unpin> RecordReader<R> {
    pub(crate) fn new(pipe: R) -> Self {
        Self { pipe: BufReader::new(pipe), bytes: [0; RECORD_LEN], filled: 0 }
    }

    /// The next message; `None` when the pipe is closed. May be dropped while it waits: nothing is lost.
    pub(crate) async fn next(&mut self) -> Result<Option<Message>, ReadError> {
        while self.filled < RECORD_LEN {
            match self.pipe.read(&mut self.bytes[self.filled..]).await? {
                0 if self.filled == 0 => return Ok(None),
                0 => return Err(ReadError::Torn(self.filled)),
                read => self.filled += read,
            }
        }
        self.filled = 0;
        Ok(Some(Record::from_bytes(self.bytes).message()?))
    }
}

#[cfg(test)]
mod tests {
    use outis_record::{Notice, Progress};

    use super::*;

    async fn read(bytes: &[u8]) -> (usize, Result<(), ReadError>) {
        let mut reader = RecordReader::new(bytes);
        let mut count = 0;
        loop {
            match reader.next().await {
                Ok(Some(_)) => count += 1,
                Ok(None) => return (count, Ok(())),
                Err(error) => return (count, Err(error)),
            }
        }
    }

    #[tokio::test]
    async fn whole_records_pass_and_others_stop_the_reading() {
        let progress = *Record::from(Message::Progress(Progress::default())).as_bytes();
        let notice = *Record::from(Message::Notice { notice: Notice::FormatChange, count: 2 }).as_bytes();
        let two = [progress, notice].concat();
        let mut smuggled = two.clone();
        smuggled[RECORD_LEN - 1] = 1;

        assert!(matches!(read(&[]).await, (0, Ok(()))));
        assert!(matches!(read(&two).await, (2, Ok(()))));
        assert!(matches!(read(&two[..100]).await, (1, Err(ReadError::Torn(36)))));
        assert!(matches!(read(&smuggled).await, (0, Err(ReadError::Malformed(RecordError::NotZero)))));
        assert!(matches!(read(&[0xff; RECORD_LEN]).await, (0, Err(ReadError::Malformed(_)))));
    }
}
