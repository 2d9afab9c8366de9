//! The Merkle tree of RFC 6962 §2.1: how leaves and nodes are hashed, and the root of a growing tree.
//!
//! Pure arithmetic. Which bytes are leaves, and in which files hashes are kept, is for others.

use crate::Digest;

/// The hash of a leaf.
pub fn leaf_hash(entry: &[u8]) -> Digest {
    Digest::of_parts(&[&[0], entry])
}

/// The hash of a node above two others.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[&[1], &left.0, &right.0])
}

/// The hash of the tree over these leaf hashes, MTH in the RFC's words.
pub fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of(b""),
        [leaf] => *leaf,
        _ => {
            // The largest power of two smaller than their number.
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&root(left), &root(right))
        }
    }
}

/// The right edge of a tree: all that is needed to append to it and to know its root.
///
/// ```text
/// level 2                 ┌ hashes of full tiles of level 1 …
/// level 1   [h h h]       each the root of 256 below
/// level 0   [h h h h h]   leaf hashes that do not fill a tile yet
/// ```
/// These are the partial tiles of the log: a level never holds 256 hashes, for then it is a full tile, which
/// becomes one hash of the level above.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edge {
    levels: Vec<Vec<Digest>>,
}

/// A tile that has just become full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullTile {
    /// 0 for leaf hashes.
    pub level: u8,
    /// Its 256 hashes.
    pub hashes: Vec<Digest>,
}

impl Edge {
    /// How many hashes fill a tile.
    pub const TILE_WIDTH: usize = 256;

    /// From the partial tiles of each level, lowest first.
    pub fn new(levels: Vec<Vec<Digest>>) -> Self {
        debug_assert!(levels.iter().all(|level| level.len() < Self::TILE_WIDTH));
        Self { levels }
    }

    /// Appends a leaf. Returns the tiles which that has filled, lowest first.
    pub fn push(&mut self, leaf: Digest) -> Vec<FullTile> {
        let mut full = Vec::new();
        let mut hash = leaf;
        for level in 0..=u8::MAX {
            let index = usize::from(level);
            if self.levels.len() == index {
                self.levels.push(Vec::new());
            }
            self.levels[index].push(hash);
            if self.levels[index].len() < Self::TILE_WIDTH {
                break;
            }
            let hashes = std::mem::take(&mut self.levels[index]);
            hash = root(&hashes);
            full.push(FullTile { level, hashes });
        }
        full
    }

    /// The hashes of each level that do not fill a tile yet, lowest first.
    pub fn levels(&self) -> impl Iterator<Item = &[Digest]> {
        self.levels.iter().map(Vec::as_slice)
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        let levels = self.levels.iter().rev();
        levels.fold(0, |size, level| size * Self::TILE_WIDTH as u64 + level.len() as u64)
    }

    /// The root of the whole tree.
    pub fn root(&self) -> Digest {
        // Within a level, and across levels from the highest, the hashes stand for ever smaller perfect trees once
        // each level is split into powers of two. RFC 6962 joins perfect trees from the right.
        let mut peaks = Vec::new();
        for level in self.levels.iter().rev() {
            let mut rest = level.as_slice();
            while !rest.is_empty() {
                let (peak, after) = rest.split_at(1 << rest.len().ilog2());
                peaks.push(root(peak));
                rest = after;
            }
        }
        peaks.into_iter().rev().reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(|| root(&[]))
    }
}

#[cfg(test)]
mod tests {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use proptest::prelude::*;

    use super::*;

    /// The leaves and roots of the tests of certificate-transparency, which RFC 6962's authors published.
    #[test]
    fn roots_of_the_reference_implementation() {
        let leaves: [&[u8]; 8] = [
            &[],
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
        ];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut edge = Edge::default();
        for (size, expected) in roots.iter().enumerate() {
            let hashes: Vec<Digest> = leaves[..size].iter().map(|leaf| leaf_hash(leaf)).collect();
            assert_eq!(root(&hashes).to_string(), *expected, "{size}");
            assert_eq!((edge.root().to_string().as_str(), edge.size()), (*expected, size as u64));
            if let Some(leaf) = leaves.get(size) {
                edge.push(leaf_hash(leaf));
            }
        }
    }

    #[test]
    fn tiles_fill_up_level_by_level() {
        let mut edge = Edge::default();
        let mut hashes = Vec::new();
        let mut full = Vec::new();
        for index in 0..70_000u32 {
            let leaf = leaf_hash(&index.to_be_bytes());
            hashes.push(leaf);
            full.extend(edge.push(leaf));
        }
        // The example of the tiles' specification.
        let count = |level| full.iter().filter(|tile| tile.level == level).count();
        assert_eq!((count(0), count(1), count(2)), (273, 1, 0));
        assert_eq!(edge.levels().map(<[Digest]>::len).collect::<Vec<_>>(), [112, 17, 1]);
        assert_eq!((edge.size(), edge.root()), (70_000, root(&hashes)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn roots_agree_with_another_implementation(size in 0..1200usize, seed: u64) {
            let leaf = |index: usize| (seed.wrapping_mul(index as u64 + 1)).to_be_bytes().to_vec();
            let mut other = MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
            let mut edge = Edge::default();
            let mut hashes = Vec::new();
            for index in 0..size {
                other.push(leaf(index));
                hashes.push(leaf_hash(&leaf(index)));
                edge.push(hashes[index]);
            }
            let expected = other.root();
            let expected = Digest::from_slice(expected.as_bytes().as_slice()).unwrap();
            prop_assert_eq!(root(&hashes), expected);
            prop_assert_eq!(edge.root(), expected);
            prop_assert_eq!(edge.size(), size as u64);
            prop_assert_eq!(Edge::new(edge.levels().map(<[Digest]>::to_vec).collect()).root(), expected);
        }
    }
}
