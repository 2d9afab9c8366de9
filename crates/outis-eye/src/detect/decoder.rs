//! From a network's outputs to candidates, whatever its family. Knows no network runtime and no picture.

use outis_record::Class;

use super::card::{Decoding, ModelCard};
use super::engine::{Expected, Output};
use super::nms::Candidate;
use super::{nanodet, yolox};

/// The cells of one stride.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    /// Pixels of the input a cell stands for, in both directions.
    pub(super) stride_px: usize,
    pub(super) columns: usize,
    pub(super) rows: usize,
}

impl Grid {
    /// The grids of an input, finest first.
    fn over(width_px: usize, height_px: usize, strides: &[usize]) -> Vec<Self> {
        let grid = |&stride_px| Self {
            stride_px,
            columns: width_px.div_ceil(stride_px),
            rows: height_px.div_ceil(stride_px),
        };
        strides.iter().map(grid).collect()
    }
}

/// The classes that are counted, with their index in the outputs; those of a group suppress each other.
#[derive(Debug)]
pub(super) struct Groups(pub(super) Vec<Vec<(Class, usize)>>);

impl Groups {
    /// For each group its likeliest class at one cell, when that reaches `floor`. `score` takes the index of a class.
    /// What is not a number reaches nothing.
    pub(super) fn best(
        &self,
        floor: f32,
        score: impl Fn(usize) -> f32,
    ) -> impl Iterator<Item = (usize, Class, f32)> {
        self.0.iter().enumerate().filter_map(move |(number, group)| {
            let scored = group.iter().map(|(class, index)| (*class, score(*index)));
            let (class, score) =
                scored.filter(|(_, score)| *score >= floor).max_by(|a, b| a.1.total_cmp(&b.1))?;
            Some((number, class, score))
        })
    }
}

/// The classes that a network says.
#[derive(Debug)]
pub(super) struct Classes {
    count: usize,
    groups: Groups,
}

impl Classes {
    /// All that it was trained on.
    pub(super) fn of(card: &ModelCard) -> Self {
        Self { count: card.class_count, groups: Groups(card.groups()) }
    }

    /// Those that are counted, in the order in which it says them.
    pub(super) fn counted(&self) -> Vec<usize> {
        let mut indices: Vec<usize> = self.groups.0.iter().flatten().map(|(_, index)| *index).collect();
        indices.sort_unstable();
        indices
    }

    /// When it says no others any more.
    pub(super) fn without_others(self) -> Self {
        let indices = self.counted();
        let rank = |(class, index)| (class, indices.partition_point(|other| *other < index));
        let groups = self.groups.0.into_iter().map(|group| group.into_iter().map(rank).collect());
        Self { count: indices.len(), groups: Groups(groups.collect()) }
    }
}

/// Reads one network's outputs.
pub(super) struct Decoder {
    decoding: Decoding,
    classes: Classes,
    strides: Vec<usize>,
}

/// What the outputs look like for one size of the input.
pub(super) struct Shapes {
    input_px: (usize, usize),
    grids: Vec<Grid>,
    pub(super) expected: Vec<Expected>,
}

impl Shapes {
    /// Whether these are the shapes for an input of this width and height.
    pub(super) fn fit(&self, input_px: (usize, usize)) -> bool {
        self.input_px == input_px
    }
}

impl Decoder {
    pub(super) fn new(card: &ModelCard, classes: Classes) -> Self {
        Self { decoding: card.decoding, classes, strides: card.strides.clone() }
    }

    /// The shapes for an input of this width and height, in pixels.
    pub(super) fn shapes(&self, input_px: (usize, usize)) -> Shapes {
        let grids = Grid::over(input_px.0, input_px.1, &self.strides);
        let expected = match self.decoding {
            Decoding::NanoDet => nanodet::expected(&grids, self.classes.count),
            Decoding::Yolox => yolox::expected(&grids, self.classes.count),
        };
        Shapes { input_px, grids, expected }
    }

    /// The candidates that reach `floor`, boxes in pixels of the input. The outputs have the shapes that were
    /// expected.
    pub(super) fn decode(&self, outputs: &[Output<'_>], shapes: &Shapes, floor: f32) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        let (grids, Classes { count, groups }) = (&shapes.grids, &self.classes);
        match self.decoding {
            Decoding::NanoDet => nanodet::decode(outputs, grids, groups, floor, &mut candidates),
            Decoding::Yolox => yolox::decode(outputs, grids, *count, groups, floor, &mut candidates),
        }
        candidates
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::detect::card::Cards;
    use crate::detect::nms::strongest;
    use crate::scale::{Area, InputSize, Sheet};

    #[test]
    fn shapes_of_the_known_networks() {
        // (network, input, names and dimensions)
        type Outputs = &'static [(&'static str, &'static [usize])];
        let cases: [(&str, (usize, usize), Outputs); 2] = [
            (
                "nanodet-g",
                (416, 320),
                &[
                    ("cls0", &[1, 80, 40, 52]),
                    ("reg0", &[1, 44, 40, 52]),
                    ("cls1", &[1, 80, 20, 26]),
                    ("reg1", &[1, 44, 20, 26]),
                    ("cls2", &[1, 80, 10, 13]),
                    ("reg2", &[1, 44, 10, 13]),
                ],
            ),
            ("yolox-nano", (416, 416), &[("output", &[1, 3549, 85])]),
        ];
        for (name, input_px, outputs) in cases {
            let card = Cards::known().model(name).expect(name);
            let shapes = Decoder::new(card, Classes::of(card)).shapes(input_px);
            let found: Vec<_> =
                shapes.expected.iter().map(|e| (e.name.as_str(), e.dims.as_slice())).collect();
            assert_eq!(found, outputs, "{name}");
            assert!(shapes.fit(input_px) && !shapes.fit((input_px.1, 999)), "{name}");
        }
    }

    #[test]
    fn classes_keep_their_order_when_the_others_go() {
        let groups = vec![vec![(Class::Person, 0)], vec![(Class::Truck, 7), (Class::Car, 2)]];
        let classes = Classes { count: 80, groups: Groups(groups) };
        assert_eq!(classes.counted(), [0, 2, 7]);
        let Classes { count, groups } = classes.without_others();
        assert_eq!(
            (count, groups.0.concat()),
            (3, vec![(Class::Person, 0), (Class::Truck, 2), (Class::Car, 1)])
        );
    }

    #[test]
    fn one_candidate_a_group_and_cell() {
        let groups = Groups(vec![vec![(Class::Person, 0)], vec![(Class::Car, 2), (Class::Truck, 7)]]);
        // (case, probability of person, car, truck; who is found at a floor of 0.3)
        let cases: [(&str, [f32; 3], &[Class]); 6] = [
            ("nothing", [0.1, 0.2, 0.29], &[]),
            ("at the floor", [0.3, 0.0, 0.0], &[Class::Person]),
            ("a person beside a car", [0.4, 0.5, 0.1], &[Class::Person, Class::Car]),
            ("more lorry than car", [0.1, 0.5, 0.6], &[Class::Truck]),
            ("not a number is nothing", [f32::NAN, f32::NAN, 0.6], &[Class::Truck]),
            ("minus infinity is nothing", [f32::NEG_INFINITY, 0.0, 0.0], &[]),
        ];
        for (name, [person, car, truck], expected) in cases {
            let score = |index| match index {
                0 => person,
                2 => car,
                _ => truck,
            };
            let found: Vec<Class> = groups.best(0.3, score).map(|(_, class, _)| class).collect();
            assert_eq!(found, expected, "{name}");
        }
    }

    proptest! {
        /// Whatever numbers a network gives, boxes lie within the picture and have an area.
        #[test]
        fn any_output_gives_boxes_within_the_picture(
            model in 0..Cards::known().models.len(),
            seed in vec(proptest::num::f32::ANY, 97),
        ) {
            let card = &Cards::known().models[model];
            let decoder = Decoder::new(card, Classes::of(card).without_others());
            let input = InputSize::Fixed { width_px: 64, height_px: 32 };
            let source = Area { left: 0, top: 0, width: 640, height: 300 };
            let sheet = Sheet::of(source, input).expect("it has an area");
            let shapes = decoder.shapes(sheet.input_px);
            let length = |expected: &Expected| expected.dims.iter().product();
            let values: Vec<Vec<f32>> =
                shapes.expected.iter().map(|e| seed.iter().copied().cycle().take(length(e)).collect()).collect();
            let outputs: Vec<Output<'_>> = values.iter().map(Vec::as_slice).collect();
            let placed = decoder.decode(&outputs, &shapes, 0.1).into_iter().map(|candidate| {
                let bbox = sheet.parts[0].to_picture(&candidate.bbox, (640, 300)).bbox;
                Candidate { bbox, ..candidate }
            });
            let candidates = placed.filter(|candidate| candidate.bbox.is_valid()).collect();
            for detection in strongest(candidates, card.nms_iou).0 {
                let bbox = detection.bbox;
                prop_assert!(bbox.is_valid(), "{:?}", bbox);
                prop_assert!(bbox.left >= 0.0 && bbox.right() <= 640.001, "{:?}", bbox);
                prop_assert!(bbox.top >= 0.0 && bbox.bottom() <= 300.001, "{:?}", bbox);
            }
        }
    }
}
