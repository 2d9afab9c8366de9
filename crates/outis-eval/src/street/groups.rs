//! Who walked with whom, as people annotated it: `groups.txt` of ETH and UCY, a line of numbers for each group.

use std::collections::BTreeSet;
use std::path::Path;

use super::paths::{PathError, Street};

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
