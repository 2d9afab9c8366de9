//! Takes the rearranging of pixels out of the beginning of a YOLOX network. Knows some fields of ONNX.
//!
//! YOLOX first lays the four pixels of each 2 x 2 behind each other, as twelve channels, and convolves 3 x 3 of these
//! ("Focus", Ge et al. 2021, YOLOX, section 2). One convolution of 6 x 6 pixels in steps of two adds up the same products: its
//! weights are the same numbers in other places. What falls away is four copies of the picture in strides and their
//! joining, a tenth of what YOLOX-nano takes.

use super::graph::{
    ATTRIBUTE_INTS, ATTRIBUTE_NAME, Graph, INITIALIZER, NODE, NODE_ATTRIBUTE, NODE_INPUT, Node, Tensor,
    attribute, contents, with_numbers,
};
use super::wire::{Edit, fields, numbers, rewrite, rewrite_graph};

/// Red, green and blue.
const CHANNELS: usize = 3;
/// Pixels laid behind each other, along each side.
const STEP: usize = 2;
/// Side of the convolution, before and after.
const SIDE: usize = 3;
const WIDE: usize = SIDE * STEP;
/// The convolution's attributes: name, before and after.
const ATTRIBUTES: [(&str, &[u64], &[u64]); 3] = [
    ("kernel_shape", &[3, 3], &[6, 6]),
    ("pads", &[1, 1, 1, 1], &[2, 2, 2, 2]),
    ("strides", &[1, 1], &[2, 2]),
];

/// The same network without the rearranging; `None` when it does not begin so, or the bytes are no ONNX file.
pub(super) fn without_focus(model: &[u8], input: &str) -> Option<Vec<u8>> {
    let beginning = Beginning::of(&Graph::of(model)?, input.as_bytes())?;
    rewrite_graph(model, &mut |field| match field.number {
        NODE => beginning.node(field.content),
        INITIALIZER => beginning.initializer(field.content),
        _ => Edit::Keep,
    })
}

/// What a network begins with.
struct Beginning<'a> {
    input: &'a [u8],
    /// Whatever only the rearranging makes.
    rearranged: Vec<&'a [u8]>,
    /// The output of the convolution, and its weights.
    convolution: &'a [u8],
    weights: &'a [u8],
    /// Right and down, of each of the pixels that are laid behind each other, in their order.
    offsets: [(usize, usize); STEP * STEP],
}

impl<'a> Beginning<'a> {
    fn of(graph: &Graph<'a>, input: &'a [u8]) -> Option<Self> {
        let made_by = |name: &[u8], operator: &[u8]| {
            graph.maker(name).filter(|node| node.operator == operator && node.outputs.len() == 1)
        };
        let integer = |name: &[u8]| match graph.integers(name)?[..] {
            [value] => Some(value),
            _ => None,
        };
        let convolution = graph.nodes.iter().find(|node| node.operator == b"Conv")?;
        let joined = made_by(convolution.inputs.first()?, b"Concat")?;
        let mut rearranged = joined.outputs.clone();
        let mut offsets = [(0, 0); STEP * STEP];
        if joined.inputs.len() != offsets.len() {
            return None;
        }
        for (offset, part) in offsets.iter_mut().zip(&joined.inputs) {
            let mut name = *part;
            // Along one side, then along the other.
            while name != input {
                let slice = made_by(name, b"Slice")?;
                let [from, start, _, axis, step] = slice.inputs[..] else { return None };
                let [start, axis, step] = [start, axis, step].map(integer);
                let along = match axis? {
                    2 => &mut offset.1,
                    3 => &mut offset.0,
                    _ => return None,
                };
                *along = usize::try_from(start?).ok().filter(|start| *start < STEP)?;
                if step? != STEP as i64 || rearranged.len() > 2 * STEP * STEP {
                    return None;
                }
                rearranged.extend(&slice.outputs);
                name = from;
            }
        }
        // Nothing else works with it, and nothing was missed.
        let users =
            graph.nodes.iter().filter(|node| node.inputs.iter().any(|name| rearranged.contains(name)));
        let whole = rearranged.len() == 1 + 2 * STEP * STEP && users.count() == 1 + STEP * STEP + 1;
        let mut sorted = offsets;
        sorted.sort_unstable();
        (whole && sorted == [(0, 0), (0, 1), (1, 0), (1, 1)]).then_some(Self {
            input,
            rearranged,
            convolution: convolution.outputs.first()?,
            weights: convolution.inputs.get(1)?,
            offsets,
        })
    }

    fn node(&self, content: &[u8]) -> Edit {
        let Some(node) = Node::of(content) else { return Edit::Keep };
        if node.outputs.iter().any(|output| self.rearranged.contains(output)) {
            return Edit::Drop;
        }
        if node.outputs != [self.convolution] {
            return Edit::Keep;
        }
        let mut inputs = 0;
        Edit::Replace(rewrite(content, &mut |field| match field.number {
            NODE_INPUT => {
                inputs += 1;
                if inputs == 1 { Edit::Replace(Some(self.input.to_vec())) } else { Edit::Keep }
            }
            NODE_ATTRIBUTE => wide_attribute(field.content),
            _ => Edit::Keep,
        }))
    }

    fn initializer(&self, content: &[u8]) -> Edit {
        let Some(tensor) = Tensor::of(content).filter(|tensor| tensor.name == self.weights) else {
            return Edit::Keep;
        };
        Edit::Replace(self.widened(&tensor).and_then(|(dims, raw)| with_numbers(content, &dims, &raw)))
    }

    /// Weights of `outputs` x 12 x 3 x 3 in the places of `outputs` x 3 x 6 x 6.
    fn widened(&self, tensor: &Tensor<'_>) -> Option<([u64; 4], Vec<u8>)> {
        let deep = CHANNELS * self.offsets.len();
        let (&outputs, before) = tensor.dims.split_first()?;
        let (weights, rest) = tensor.raw.as_chunks::<4>();
        let whole = before == [deep as u64, SIDE as u64, SIDE as u64]
            && rest.is_empty()
            && weights.len() as u64 == outputs.checked_mul((deep * SIDE * SIDE) as u64)?;
        if !whole {
            return None;
        }
        let outputs = usize::try_from(outputs).ok()?;
        let mut wide = Vec::with_capacity(tensor.raw.len());
        for (output, channel) in (0..outputs).flat_map(|o| (0..CHANNELS).map(move |c| (o, c))) {
            for (y, x) in (0..WIDE).flat_map(|y| (0..WIDE).map(move |x| (y, x))) {
                let offset = (x % STEP, y % STEP);
                let part = self.offsets.iter().position(|other| *other == offset)?;
                let row = (output * deep + CHANNELS * part + channel) * SIDE + y / STEP;
                wide.extend_from_slice(&weights[row * SIDE + x / STEP]);
            }
        }
        Some(([outputs, CHANNELS, WIDE, WIDE].map(|side| side as u64), wide))
    }
}

/// The attribute of the wide convolution for one of the narrow one, which must be as expected.
fn wide_attribute(content: &[u8]) -> Edit {
    let Some(fields) = fields(content) else { return Edit::Keep };
    let names = contents(&fields, ATTRIBUTE_NAME);
    let Some((name, narrow, wide)) = ATTRIBUTES.iter().find(|(name, ..)| names == [name.as_bytes()]) else {
        return Edit::Keep;
    };
    let as_expected = numbers(&fields, ATTRIBUTE_INTS).filter(|found| found == narrow);
    Edit::Replace(as_expected.map(|_| attribute(name, wide)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::graph::written;
    use super::*;

    const OUTPUTS: usize = 5;
    const PICTURE: (usize, usize) = (12, 8);
    const OUTPUT: (&str, &[usize]) = ("output", &[1, OUTPUTS, PICTURE.1 / 2, PICTURE.0 / 2]);
    /// The attributes as YOLOX has them.
    const NARROW: [(&str, &[u64]); 3] =
        [("kernel_shape", &[3, 3]), ("pads", &[1, 1, 1, 1]), ("strides", &[1, 1])];

    /// A network that only rearranges and convolves; the starts are right and down of each part, in their order.
    fn network(starts: [(usize, usize); 4], attributes: &[(&str, &[u64])], beside: bool) -> Vec<u8> {
        let constants = [("zero", 0), ("one", 1), ("end", i64::MAX), ("rows", 2), ("columns", 3)];
        let mut tensors: Vec<_> =
            constants.iter().map(|(name, value)| written::integers(name, &[*value])).collect();
        tensors.push(written::weights("weights", &[OUTPUTS, 12, 3, 3]));
        let mut nodes = Vec::new();
        let start = |at: usize| ["zero", "one"][at];
        for (part, (right, down)) in starts.into_iter().enumerate() {
            let (half, whole) = (format!("half{part}"), format!("part{part}"));
            let rows = ["images", start(down), "end", "rows", "rows"];
            nodes.push(written::node("Slice", &rows, &[&half], &[]));
            let columns = [&half, start(right), "end", "columns", "rows"];
            nodes.push(written::node("Slice", &columns, &[&whole], &[]));
        }
        let parts = ["part0", "part1", "part2", "part3"];
        nodes.push(written::node("Concat", &parts, &["joined"], &[written::number("axis", 1)]));
        let attributes: Vec<Vec<u8>> =
            attributes.iter().map(|(name, values)| attribute(name, values)).collect();
        nodes.push(written::node("Conv", &["joined", "weights"], &["output"], &attributes));
        if beside {
            nodes.push(written::node("Relu", &["joined"], &["beside"], &[]));
        }
        written::model(&nodes, &tensors, &[1, 3, PICTURE.1, PICTURE.0], &[OUTPUT])
    }

    fn run(model: Vec<u8>) -> Vec<f32> {
        written::run(model, PICTURE, &[OUTPUT]).remove(0)
    }

    #[test]
    fn the_wide_convolution_adds_up_the_same() {
        // YOLOX's own order first.
        for starts in [[(0, 0), (0, 1), (1, 0), (1, 1)], [(1, 1), (0, 0), (1, 0), (0, 1)]] {
            let model = network(starts, &NARROW, false);
            let without = without_focus(&model, "images").expect("it begins so");
            let has =
                |model: &[u8], operator: &[u8]| model.windows(operator.len()).any(|bytes| bytes == operator);
            assert!(has(&model, b"Slice") && !has(&without, b"Slice") && !has(&without, b"Concat"));
            let (expected, found) = (run(model), run(without));
            assert!(expected.iter().any(|value| value.abs() > 1.0) && expected.len() == found.len());
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-3, "{starts:?}: {found} is not {expected}");
            }
        }
    }

    #[test]
    fn a_network_that_begins_otherwise_is_left_alone() {
        let usual = [(0, 0), (0, 1), (1, 0), (1, 1)];
        let [shape, pads, _] = NARROW;
        let cases = [
            ("a part twice", network([(0, 0), (0, 0), (1, 0), (1, 1)], &NARROW, false)),
            ("another step", network(usual, &[shape, pads, ("strides", &[2, 2])], false)),
            ("somebody else works with it", network(usual, &NARROW, true)),
            ("no network", b"nothing".to_vec()),
        ];
        for (name, model) in cases {
            assert_eq!(without_focus(&model, "images"), None, "{name}");
        }
        assert_eq!(without_focus(&network(usual, &NARROW, false), "picture"), None, "another input");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(at in 0_usize..2_000, byte in any::<u8>()) {
            let mut model = network([(0, 0), (0, 1), (1, 0), (1, 1)], &NARROW, false);
            let at = at % model.len();
            model[at] = byte;
            let _ = without_focus(&model, "images");
        }
    }
}
