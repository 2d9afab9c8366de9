//! Are the entries those under the signed root, and the tiles the hashes of these entries?

use std::{collections::HashMap, io, path::Path};

use super::{Kind, Report};
use crate::{
    Checkpoint, Digest, Edge, Entry, durable,
    layout::{self, BUNDLE_BYTES_MAX, CHECKPOINT, Content, TILES, Tile},
    leaf_hash, root,
};

/// The entries of a log, all under its signed root.
#[derive(Debug)]
pub(super) struct Entries {
    pub(super) entries: Vec<Entry>,
    pub(super) leaves: Vec<Digest>,
}

/// Reads and checks the tree of a checkpoint; `None` when its entries are not those that were signed.
pub(super) fn check(
    public: &Path,
    checkpoint: &Checkpoint,
    report: &mut Report,
) -> io::Result<Option<Entries>> {
    let Some(bytes) = read_entries(public, checkpoint.size, report)? else { return Ok(None) };
    let leaves: Vec<Digest> = bytes.iter().map(|entry| leaf_hash(entry)).collect();
    if root(&leaves) != checkpoint.root {
        name_changed(public, checkpoint, &leaves, report)?;
        return Ok(None);
    }
    check_tiles(public, checkpoint.size, &leaves, &bytes, report)?;
    let mut entries = Vec::with_capacity(bytes.len());
    for (index, bytes) in bytes.iter().enumerate() {
        match Entry::decode(bytes) {
            Ok(entry) => entries.push(entry),
            Err(error) => {
                report.find(Kind::Inconsistent, format!("entry {index}"), error.to_string());
                return Ok(None);
            }
        }
    }
    Ok(Some(Entries { entries, leaves }))
}

fn read_entries(public: &Path, size: u64, report: &mut Report) -> io::Result<Option<Vec<Vec<u8>>>> {
    let mut entries = Vec::new();
    for tile in Tile::all(Content::Entries, size) {
        let path = tile.path();
        let Some(bytes) = durable::read(&public.join(&path), BUNDLE_BYTES_MAX)? else {
            let sentence =
                format!("entries {} and on are missing, so nothing after them can be checked", tile.first());
            report.find(Kind::Missing, path, sentence);
            return Ok(None);
        };
        match layout::bundle(&bytes) {
            Some(bundle) if bundle.len() as u64 == tile.width => entries.extend(bundle),
            Some(bundle) => {
                let kind = if (bundle.len() as u64) < tile.width { Kind::Missing } else { Kind::Added };
                let sentence = format!("it has {} entries, and {} were signed", bundle.len(), tile.width);
                report.find(kind, path, sentence);
                return Ok(None);
            }
            None => {
                report.find(Kind::Changed, path, "it was changed: its entries cannot be told apart");
                return Ok(None);
            }
        }
    }
    Ok(Some(entries))
}

/// The entries do not have the signed root. If the leaf hashes in the tiles have it, they tell which entries are wrong.
fn name_changed(
    public: &Path,
    checkpoint: &Checkpoint,
    leaves: &[Digest],
    report: &mut Report,
) -> io::Result<()> {
    let mut signed = Vec::new();
    for tile in Tile::all(Content::Hashes { level: 0 }, checkpoint.size) {
        let bytes = durable::read(&public.join(tile.path()), BUNDLE_BYTES_MAX)?.unwrap_or_default();
        signed.extend(layout::hashes(&bytes));
    }
    if signed.len() != leaves.len() || root(&signed) != checkpoint.root {
        let sentence = "the log does not have the root that the device signed: entries and tiles were changed, or \
                        the checkpoint is of another state of the log";
        report.find(Kind::Changed, CHECKPOINT, sentence);
        return Ok(());
    }
    let places: HashMap<&Digest, usize> = signed.iter().zip(0..).collect();
    for (index, (leaf, signed)) in leaves.iter().zip(&signed).enumerate() {
        if leaf == signed {
            continue;
        }
        match places.get(leaf) {
            Some(place) => {
                let sentence = format!("entry {place} stands in the place of entry {index}");
                report.find(Kind::Reordered, format!("entry {index}"), sentence);
            }
            None => {
                report.find(Kind::Changed, format!("entry {index}"), "it is not the entry that was signed")
            }
        }
    }
    Ok(())
}

/// Every file of the tree must be what follows from the entries; those that the log consists of must be there.
fn check_tiles(
    public: &Path,
    size: u64,
    leaves: &[Digest],
    entries: &[Vec<u8>],
    report: &mut Report,
) -> io::Result<()> {
    let levels = levels(leaves);
    for tile in Tile::levels(size).flat_map(|level| Tile::all(level, size)) {
        if !public.join(tile.path()).exists() {
            report.find(Kind::Missing, tile.path(), "this tile of hashes is missing");
        }
    }
    for path in durable::files_below(&public.join(TILES))? {
        let path = format!("{TILES}/{path}");
        let Some(tile) = Tile::of_path(&path) else {
            report.find(Kind::Added, path, "no such file belongs to a log");
            continue;
        };
        if !tile.is_within(size) {
            let sentence = "the checkpoint does not cover it: it was added, or the device was stopped while it wrote \
                            and has not started again since";
            report.find(Kind::Added, path, sentence);
            continue;
        }
        let range = tile.first() as usize..(tile.first() + tile.width) as usize;
        let expected = match tile.content {
            Content::Entries => layout::bundled(&entries[range]),
            Content::Hashes { level } => {
                levels[usize::from(level)][range].iter().flat_map(|hash| hash.0).collect()
            }
        };
        if durable::read(&public.join(&path), BUNDLE_BYTES_MAX)?.as_ref() != Some(&expected) {
            report.find(
                Kind::Changed,
                path,
                "it was changed: it is not what follows from the signed entries",
            );
        }
    }
    Ok(())
}

/// The hashes of each level of tiles.
fn levels(leaves: &[Digest]) -> Vec<Vec<Digest>> {
    let mut levels = vec![leaves.to_vec()];
    while let Some(below) = levels.last().filter(|below| below.len() >= Edge::TILE_WIDTH) {
        let above = below.chunks_exact(Edge::TILE_WIDTH).map(root).collect();
        levels.push(above);
    }
    levels
}
