//! Where the published files are, as C2SP's tlog-tiles and this project name them. Paths only, no file.

use crate::{Digest, tree::Edge};

/// The newest signed state of the log.
pub const CHECKPOINT: &str = "checkpoint";

/// The public key.
pub const PUBLIC_KEY: &str = "device.vkey";

/// The folder of everything that the log's tree is made of.
pub const TILES: &str = "tile";

/// The folder of the signed windows.
pub const WINDOWS: &str = "windows";

/// How many windows are in one file.
pub const WINDOWS_PER_FILE: u64 = 64;

/// The longest bundle of entries in bytes.
pub(crate) const BUNDLE_BYTES_MAX: u64 = WIDTH * (2 + crate::ENTRY_BYTES_MAX as u64);

const WIDTH: u64 = Edge::TILE_WIDTH as u64;

/// The highest level that a tree of 64-bit size can have.
const LEVEL_MAX: u8 = 7;

/// A file of the tree: hashes of one level, or the entries under those of level 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) content: Content,
    pub(crate) index: u64,
    /// How many hashes or entries it has; 256 make it full.
    pub(crate) width: u64,
}

/// What is in a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Hashes { level: u8 },
    Entries,
}

impl Content {
    fn level(self) -> u8 {
        match self {
            Self::Hashes { level } => level,
            Self::Entries => 0,
        }
    }

    /// How many hashes or entries there are of it in a log of this size.
    fn count(self, size: u64) -> u64 {
        size >> (8 * u32::from(self.level()))
    }
}

impl Tile {
    /// The file's path.
    pub(crate) fn path(self) -> String {
        let folder = match self.content {
            Content::Hashes { level } => level.to_string(),
            Content::Entries => "entries".to_owned(),
        };
        let partial = if self.width < WIDTH { format!(".p/{}", self.width) } else { String::new() };
        format!("{TILES}/{folder}/{}{partial}", number(self.index))
    }

    /// The tile of a path; `None` for every other file.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        let rest = path.strip_prefix(TILES)?.strip_prefix('/')?;
        let (folder, rest) = rest.split_once('/')?;
        let content = match folder {
            "entries" => Content::Entries,
            level => Content::Hashes { level: level.parse().ok().filter(|level| *level <= LEVEL_MAX)? },
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, width.parse().ok().filter(|width| (1..WIDTH).contains(width))?),
            None => (rest, WIDTH),
        };
        let tile = Self { content, index: parse_number(index)?, width };
        // One path for one tile: no leading zeroes, no signs.
        (tile.path() == path).then_some(tile)
    }

    /// Whether a log of this size has it, or had it when it was smaller.
    pub(crate) fn is_within(self, size: u64) -> bool {
        let end = self.index.checked_mul(WIDTH).and_then(|start| start.checked_add(self.width));
        end.is_some_and(|end| end <= self.content.count(size))
    }

    /// Its first hash or entry, counted over its level.
    pub(crate) fn first(self) -> u64 {
        self.index * WIDTH
    }

    /// The tiles of one content that a log of this size consists of.
    pub(crate) fn all(content: Content, size: u64) -> impl Iterator<Item = Self> {
        let count = content.count(size);
        let full = (0..count / WIDTH).map(move |index| Self { content, index, width: WIDTH });
        full.chain(Self::partial(content, size))
    }

    /// The last full tile of one content in a log of this size, which has one.
    pub(crate) fn last_full(content: Content, size: u64) -> Self {
        Self { content, index: (content.count(size) / WIDTH).saturating_sub(1), width: WIDTH }
    }

    /// The last tile of one content when it is not full.
    pub(crate) fn partial(content: Content, size: u64) -> Option<Self> {
        let count = content.count(size);
        let width = count % WIDTH;
        (width > 0).then_some(Self { content, index: count / WIDTH, width })
    }

    /// The levels of hashes that a log of this size has.
    pub(crate) fn levels(size: u64) -> impl Iterator<Item = Content> {
        let levels = (0..=LEVEL_MAX).map(|level| Content::Hashes { level });
        levels.take_while(move |content| content.count(size) > 0)
    }
}

/// The file of a window, by its number.
pub(crate) fn windows_path(sequence: u64) -> String {
    format!("{WINDOWS}/{}", number(sequence / WINDOWS_PER_FILE))
}

/// The first window that belongs in a file; `None` for other files.
pub(crate) fn windows_first(path: &str) -> Option<u64> {
    let index = parse_number(path.strip_prefix(WINDOWS)?.strip_prefix('/')?)?;
    let first = index.checked_mul(WINDOWS_PER_FILE)?;
    // So that nobody who counts on from here can run over.
    first.checked_add(WINDOWS_PER_FILE)?;
    (windows_path(first) == path).then_some(first)
}

/// Takes a tile of hashes apart.
pub(crate) fn hashes(bytes: &[u8]) -> Vec<Digest> {
    bytes.chunks_exact(Digest::LEN).filter_map(Digest::from_slice).collect()
}

/// Takes a bundle apart into entries; `None` when a length in it is wrong.
pub(crate) fn bundle(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<2>()?;
        let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        entries.push(entry.to_vec());
        bytes = rest;
    }
    Some(entries)
}

/// Puts entries into a bundle. None may be longer than [`crate::ENTRY_BYTES_MAX`].
pub(crate) fn bundled<'a>(entries: impl IntoIterator<Item = &'a Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len()).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&entry[..usize::from(length)]);
    }
    bytes
}

/// Three digits a folder, `x` before all but the last: 1234067 is `x001/x234/067`.
fn number(mut number: u64) -> String {
    let mut path = format!("{:03}", number % 1000);
    while number >= 1000 {
        number /= 1000;
        path = format!("x{:03}/{path}", number % 1000);
    }
    path
}

fn parse_number(path: &str) -> Option<u64> {
    let digits: String = path.split('/').map(|part| part.strip_prefix('x').unwrap_or(part)).collect();
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        let tile = |content, index, width| Tile { content, index, width };
        let hashes = |level| Content::Hashes { level };
        let cases = [
            (tile(hashes(0), 0, 256), "tile/0/000"),
            (tile(hashes(2), 1_234_067, 256), "tile/2/x001/x234/067"),
            (tile(hashes(1), 5, 17), "tile/1/005.p/17"),
            (tile(Content::Entries, 1000, 3), "tile/entries/x001/000.p/3"),
        ];
        for (tile, path) in cases {
            assert_eq!(tile.path(), path);
            assert_eq!(Tile::of_path(path), Some(tile));
        }
        for other in [
            "",
            "tile",
            "tile/0",
            "tile/8/000",
            "tile/0/0",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/00/000",
            "tile/0/000.p/01",
            "tile/0/x000/001",
            "tile/0/+01",
            "tile/data/000",
            "checkpoint",
            "tile/0/00000000000000000000000001",
        ] {
            assert_eq!(Tile::of_path(other), None, "{other}");
        }
        assert_eq!(
            (windows_path(0), windows_path(64_000)),
            ("windows/000".into(), "windows/x001/000".into())
        );
        assert_eq!(windows_first("windows/x001/000"), Some(64_000));
        assert_eq!((windows_first("windows/1"), windows_first("windows/")), (None, None));
    }

    #[test]
    fn a_log_of_70_000_consists_of_what_the_specification_says() {
        let all = |content| Tile::all(content, 70_000).collect::<Vec<_>>();
        let last = |tiles: &[Tile]| tiles.last().map(|tile| tile.width);
        let [zero, one, two] = [0, 1, 2].map(|level| all(Content::Hashes { level }));
        assert_eq!((zero.len(), last(&zero)), (274, Some(112)));
        assert_eq!((one.len(), last(&one)), (2, Some(17)));
        assert_eq!((two.len(), last(&two)), (1, Some(1)));
        assert_eq!(Tile::levels(70_000).count(), 3);
        assert_eq!(
            (Tile::levels(256).count(), Tile::levels(255).count(), Tile::levels(0).count()),
            (2, 1, 0)
        );
        assert!(zero.iter().all(|tile| tile.is_within(70_000)));
        assert!(!zero[273].is_within(69_999));
    }

    #[test]
    fn bundles_are_taken_apart_as_they_are_put_together() {
        let entries = vec![vec![], vec![1], vec![7; ENTRY]];
        assert_eq!(bundle(&bundled(&entries)), Some(entries));
        assert_eq!(bundle(&[0, 2, 1]), None);
        assert_eq!(bundle(&[0]), None);
    }

    const ENTRY: usize = crate::ENTRY_BYTES_MAX;
}
