//! What was released, signed and on record.
//!
//! A device signs each window, puts it durably into a file, and writes its digest into an append-only log beside
//! those of configuration, programs and models. Whoever has the published folder can check all of it with
//! [`verify`]. This crate signs bytes and does not know what is in a window. Time comes in as an argument.
#![forbid(unsafe_code)]

pub mod cbor;
mod clock;
mod digest;
mod durable;
mod entry;
mod envelope;
mod error;
mod handed;
mod key;
mod layout;
mod ledger;
mod log;
mod note;
mod notice;
mod running;
mod spool;
mod tree;
pub mod verify;

pub use clock::Moment;
pub use digest::Digest;
pub use durable::Readers;
pub use entry::{ENTRY_BYTES_MAX, Entry, EntryError, Part, PartKind, What};
pub use envelope::{CONTENT_TYPE, ENVELOPE_BYTES_MAX, EnvelopeError, Seal, open, seal};
pub use error::LedgerError;
pub use handed::{HandedIn, hand_in};
pub use key::{DeviceKey, KeyError, PublicKey, PublicKeyError};
pub use layout::{CHECKPOINT, PUBLIC_KEY, TILES, WINDOWS, WINDOWS_PER_FILE};
pub use ledger::{Ledger, Window};
pub use log::LogError;
pub use note::{CHECKPOINT_BYTES_MAX, Checkpoint, NoteError};
pub use notice::Notice;
pub use tree::{Edge, FullTile, leaf_hash, node_hash, root};
