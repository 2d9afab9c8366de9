//! Classes as people write them.

use outis_record::Class;
use serde::Deserialize;

/// A class in a configuration.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct ClassName(pub(crate) Class);

/// A word that is not a class.
#[derive(Debug, thiserror::Error)]
#[error("\"{word}\" is not a class; there are {}", Class::ALL.map(Class::name).join(", "))]
pub(crate) struct UnknownClass {
    word: String,
}

/// The class of a name.
pub(crate) fn parse(name: &str) -> Result<Class, UnknownClass> {
    Class::from_name(name.trim()).ok_or_else(|| UnknownClass { word: name.to_owned() })
}

impl TryFrom<String> for ClassName {
    type Error = UnknownClass;

    fn try_from(name: String) -> Result<Self, UnknownClass> {
        parse(&name).map(Self)
    }
}
