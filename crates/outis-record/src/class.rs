//! The kinds of road users that are counted. Closed: nothing about a person fits in here.

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Class {
    /// A pedestrian, also one who sits or rolls.
    Person = 0,
    /// A bicycle, with or without its rider.
    Bicycle = 1,
    /// A passenger car.
    Car = 2,
    /// A motorcycle or moped.
    Motorcycle = 3,
    /// A bus or coach.
    Bus = 4,
    /// A lorry or van.
    Truck = 5,
}

impl Class {
    /// All classes, in the order in which records and tables list them.
    pub const ALL: [Self; 6] =
        [Self::Person, Self::Bicycle, Self::Car, Self::Motorcycle, Self::Bus, Self::Truck];

    /// The number of classes.
    pub const COUNT: usize = Self::ALL.len();

    /// The position in [`Class::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// The class at a position of [`Class::ALL`].
    pub fn from_index(index: usize) -> Option<Self> {
        Self::ALL.get(index).copied()
    }

    /// The lower-case English name, as configuration and tables write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Bicycle => "bicycle",
            Self::Car => "car",
            Self::Motorcycle => "motorcycle",
            Self::Bus => "bus",
            Self::Truck => "truck",
        }
    }

    /// The class of a [`Class::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_and_name_lead_back_to_the_class() {
        for (index, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!(class.index(), index);
            assert_eq!(Class::from_index(index), Some(class));
            assert_eq!(Class::from_name(class.name()), Some(class));
        }
        assert_eq!(Class::from_index(Class::COUNT), None);
        assert_eq!(Class::from_name("face"), None);
    }
}
