//! Who walked with whom, as people annotated it: `groups.txt` of ETH and UCY, a line of numbers for each group.

use std::collections::BTreeSet;
use std::path::Path;

use super::paths::{PathError, Street};

/// Pairs of seq_eth whom the annotation does not name, within 1 m of each other for five seconds or longer in all while the
/// camera of the benchmark sees them: all there are; the next pair has less than four. They come together, walk in step and
/// leave within two seconds of each other. That they are groups is our reading. In zara01 there is no such pair.
const UNANNOTATED_OF_SEQ_ETH: [(u32, u32); 8] =
    [(182, 183), (183, 184), (192, 193), (230, 231), (252, 253), (255, 256), (257, 260), (362, 363)];

/// Pairs of people of one group, the lower number first.
#[derive(Debug, Clone, Default)]
pub(super) struct Groups(BTreeSet<(u32, u32)>);

impl Groups {
    /// Reads a street's groups from the folder that holds `eth-ucy/`.
    ///
    /// # Errors
    /// When the file is absent.
    pub(super) fn read(street: Street, data: &Path) -> Result<Self, PathError> {
        let path = street.folder(data).join("groups.txt");
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(source) => Err(PathError::Read { path, source }),
        }
    }

    /// The same, and the pairs that walk like a group and are not annotated.
    pub(super) fn completed(mut self, street: Street) -> Self {
        if street == Street::SeqEth {
            self.0.extend(UNANNOTATED_OF_SEQ_ETH);
        }
        self
    }

    fn parse(text: &str) -> Self {
        let mut pairs = BTreeSet::new();
        for line in text.lines() {
            let members: Vec<u32> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            for (index, &a) in members.iter().enumerate() {
                pairs.extend(members[index + 1..].iter().map(|&b| (a.min(b), a.max(b))));
            }
        }
        Self(pairs)
    }

    /// Whether two people walked together.
    pub(super) fn are_together(&self, a: u32, b: u32) -> bool {
        self.0.contains(&(a.min(b), a.max(b)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_of_a_line_walks_with_everybody_of_it() {
        let groups = Groups::parse(" 6 3 2\n\n13 11\n");
        assert!(groups.are_together(2, 6) && groups.are_together(3, 2) && groups.are_together(11, 13));
        assert!(!groups.are_together(6, 13) && !groups.are_together(6, 6));
    }
}
