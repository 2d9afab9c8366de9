//! Lists of a fixed length in a configuration. The TOML parser, asked for an array, drops what is too
//! much of it in silence; a point of three numbers is a mistake that its author wants to hear of.

use serde::{Deserialize, de::DeserializeOwned};

/// An array of `N`, no more and no less.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "Vec<T>", bound = "T: DeserializeOwned")]
pub(crate) struct Exactly<T, const N: usize>(pub(crate) [T; N]);

/// A list of another length.
#[derive(Debug, thiserror::Error)]
#[error("a list of {expected} is expected here, this one has {got}")]
pub(crate) struct WrongLength {
    expected: usize,
    got: usize,
}

impl<T, const N: usize> TryFrom<Vec<T>> for Exactly<T, N> {
    type Error = WrongLength;

    fn try_from(list: Vec<T>) -> Result<Self, WrongLength> {
        list.try_into().map(Self).map_err(|list: Vec<T>| WrongLength { expected: N, got: list.len() })
    }
}
