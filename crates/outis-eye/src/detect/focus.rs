//! Takes the rearranging of pixels out of the beginning of a YOLOX network. Knows some fields of ONNX.
//!
//! YOLOX first lays the four pixels of each 2 x 2 behind each other, as twelve channels, and convolves 3 x 3 of these
//! ("Focus", Ge et al. 2021, YOLOX, section 2). One convolution of 6 x 6 pixels in steps of two adds up the same products: its
//! weights are the same numbers in other places. What falls away is four copies of the picture in strides and their
//! joining, a tenth of what YOLOX-nano takes.

use std::collections::BTreeMap;

use super::wire::{Edit, Field, GRAPH, fields, numbers, push, push_number, rewrite, rewrite_graph};

/// `GraphProto.node`, `.initializer`.
const NODE: u64 = 1;
const INITIALIZER: u64 = 5;
/// `NodeProto.input`, `.output`, `.op_type`, `.attribute`.
const NODE_INPUT: u64 = 1;
const NODE_OUTPUT: u64 = 2;
const NODE_OPERATOR: u64 = 4;
const NODE_ATTRIBUTE: u64 = 5;
/// `AttributeProto.name`, `.ints`, `.type` and the type's number for many integers.
const ATTRIBUTE_NAME: u64 = 1;
const ATTRIBUTE_INTS: u64 = 8;
const ATTRIBUTE_TYPE: u64 = 20;
const INTS: u64 = 7;
/// `TensorProto.dims`, `.name`, `.raw_data`.
const TENSOR_DIMS: u64 = 1;
const TENSOR_NAME: u64 = 8;
const TENSOR_RAW: u64 = 9;

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
    let graph = fields(model)?.into_iter().find(|field| field.number == GRAPH)?.content;
    let beginning = Beginning::of(graph, input.as_bytes())?;
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

/// One operator.
struct Node<'a> {
    operator: &'a [u8],
    inputs: Vec<&'a [u8]>,
    output: &'a [u8],
}

impl<'a> Beginning<'a> {
    fn of(graph: &'a [u8], input: &'a [u8]) -> Option<Self> {
        let (mut nodes, mut integers) = (Vec::new(), BTreeMap::new());
        for field in fields(graph)? {
            match field.number {
                NODE => nodes.extend(Node::of(field.content)),
                INITIALIZER => integers.extend(integer(field.content)),
                _ => {}
            }
        }
        let made_by = |name: &[u8], operator: &[u8]| {
            nodes.iter().find(|node| node.output == name && node.operator == operator)
        };
        let convolution = nodes.iter().find(|node| node.operator == b"Conv")?;
        let joined = made_by(convolution.inputs.first()?, b"Concat")?;
        let mut rearranged = vec![joined.output];
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
                let [start, axis, step] = [start, axis, step].map(|name| integers.get(name).copied());
                let along = match axis? {
                    2 => &mut offset.1,
                    3 => &mut offset.0,
                    _ => return None,
                };
                *along = usize::try_from(start?).ok().filter(|start| *start < STEP)?;
                if step? != STEP as i64 || rearranged.len() > 2 * STEP * STEP {
                    return None;
                }
                rearranged.push(slice.output);
                name = from;
            }
        }
        // Nothing else works with it, and nothing was missed.
        let users = nodes.iter().filter(|node| node.inputs.iter().any(|name| rearranged.contains(name)));
        let whole = rearranged.len() == 1 + 2 * STEP * STEP && users.count() == 1 + STEP * STEP + 1;
        let mut sorted = offsets;
        sorted.sort_unstable();
        (whole && sorted == [(0, 0), (0, 1), (1, 0), (1, 1)]).then_some(Self {
            input,
            rearranged,
            convolution: convolution.output,
            weights: convolution.inputs.get(1)?,
            offsets,
        })
    }

    fn node(&self, content: &[u8]) -> Edit {
        let Some(node) = Node::of(content) else { return Edit::Keep };
        if self.rearranged.contains(&node.output) {
            return Edit::Drop;
        }
        if node.output != self.convolution {
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
        Edit::Replace(self.widened(&tensor).and_then(|(dims, raw)| {
            let mut replaced = rewrite(content, &mut |field| match field.number {
                TENSOR_DIMS | TENSOR_RAW => Edit::Drop,
                _ => Edit::Keep,
            })?;
            dims.into_iter().for_each(|side| push_number(&mut replaced, TENSOR_DIMS, side as u64));
            push(&mut replaced, TENSOR_RAW, &raw);
            Some(replaced)
        }))
    }

    /// Weights of `outputs` x 12 x 3 x 3 in the places of `outputs` x 3 x 6 x 6.
    fn widened(&self, tensor: &Tensor<'_>) -> Option<([usize; 4], Vec<u8>)> {
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
        Some(([outputs, CHANNELS, WIDE, WIDE], wide))
    }
}

impl<'a> Node<'a> {
    /// `None` for one with no output or several.
    fn of(content: &'a [u8]) -> Option<Self> {
        let fields = fields(content)?;
        let [output] = contents(&fields, NODE_OUTPUT)[..] else { return None };
        let operator = contents(&fields, NODE_OPERATOR).pop().unwrap_or_default();
        Some(Self { operator, inputs: contents(&fields, NODE_INPUT), output })
    }
}

/// Numbers by name.
struct Tensor<'a> {
    name: &'a [u8],
    dims: Vec<u64>,
    raw: &'a [u8],
}

impl<'a> Tensor<'a> {
    fn of(content: &'a [u8]) -> Option<Self> {
        let fields = fields(content)?;
        let last = |number| contents(&fields, number).pop().unwrap_or_default();
        Some(Self { name: last(TENSOR_NAME), dims: numbers(&fields, TENSOR_DIMS)?, raw: last(TENSOR_RAW) })
    }
}

/// What all fields of one number hold.
fn contents<'a>(fields: &[Field<'a>], number: u64) -> Vec<&'a [u8]> {
    fields.iter().filter(|field| field.number == number).map(|field| field.content).collect()
}

/// The only number of a tensor, when it has eight bytes.
fn integer(content: &[u8]) -> Option<(&[u8], i64)> {
    let tensor = Tensor::of(content)?;
    Some((tensor.name, i64::from_le_bytes(tensor.raw.try_into().ok()?)))
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

fn attribute(name: &str, values: &[u64]) -> Vec<u8> {
    let mut written = Vec::new();
    push(&mut written, ATTRIBUTE_NAME, name.as_bytes());
    values.iter().for_each(|value| push_number(&mut written, ATTRIBUTE_INTS, *value));
    push_number(&mut written, ATTRIBUTE_TYPE, INTS);
    written
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::engine::{Engine, Expected, Rten};
    use super::super::wire::message;
    use super::*;
    use crate::scale::Tensor as Picture;

    const OUTPUTS: usize = 5;
    const PICTURE: (usize, usize) = (12, 8);
    /// The attributes as YOLOX has them.
    const NARROW: [(&str, &[u64]); 3] =
        [("kernel_shape", &[3, 3]), ("pads", &[1, 1, 1, 1]), ("strides", &[1, 1])];

    fn node(operator: &str, inputs: &[&str], output: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut fields: Vec<(u64, &[u8])> = inputs.iter().map(|name| (NODE_INPUT, name.as_bytes())).collect();
        fields.extend([(NODE_OUTPUT, output.as_bytes()), (NODE_OPERATOR, operator.as_bytes())]);
        fields.extend(attributes.iter().map(|attribute| (NODE_ATTRIBUTE, attribute.as_slice())));
        message(&fields)
    }

    fn tensor(name: &str, kind: u64, dims: &[usize], raw: &[u8]) -> Vec<u8> {
        let mut written = Vec::new();
        dims.iter().for_each(|side| push_number(&mut written, TENSOR_DIMS, *side as u64));
        push_number(&mut written, 2, kind);
        push(&mut written, TENSOR_NAME, name.as_bytes());
        push(&mut written, TENSOR_RAW, raw);
        written
    }

    fn value(name: &str, dims: &[usize]) -> Vec<u8> {
        let mut shape = Vec::new();
        for side in dims {
            let mut dim = Vec::new();
            push_number(&mut dim, 1, *side as u64);
            push(&mut shape, 1, &dim);
        }
        let mut kind = Vec::new();
        push_number(&mut kind, 1, 1);
        push(&mut kind, 2, &shape);
        message(&[(1, name.as_bytes()), (2, &message(&[(1, &kind)]))])
    }

    /// A network that only rearranges and convolves; the starts are right and down of each part, in their order.
    fn network(starts: [(usize, usize); 4], attributes: &[(&str, &[u64])], beside: bool) -> Vec<u8> {
        let mut graph = Vec::new();
        let number = |name: &str, value: i64| tensor(name, 7, &[1], &value.to_le_bytes());
        for (name, value) in [("zero", 0), ("one", 1), ("end", i64::MAX), ("rows", 2), ("columns", 3)] {
            push(&mut graph, INITIALIZER, &number(name, value));
        }
        let start = |at: usize| ["zero", "one"][at];
        for (part, (right, down)) in starts.into_iter().enumerate() {
            let (half, whole) = (format!("half{part}"), format!("part{part}"));
            push(
                &mut graph,
                NODE,
                &node("Slice", &["images", start(down), "end", "rows", "rows"], &half, &[]),
            );
            push(
                &mut graph,
                NODE,
                &node("Slice", &[&half, start(right), "end", "columns", "rows"], &whole, &[]),
            );
        }
        let mut axis = Vec::new();
        push(&mut axis, ATTRIBUTE_NAME, b"axis");
        push_number(&mut axis, 3, 1);
        push_number(&mut axis, ATTRIBUTE_TYPE, 2);
        push(&mut graph, NODE, &node("Concat", &["part0", "part1", "part2", "part3"], "joined", &[axis]));
        let attributes: Vec<Vec<u8>> =
            attributes.iter().map(|(name, values)| attribute(name, values)).collect();
        push(&mut graph, NODE, &node("Conv", &["joined", "weights"], "output", &attributes));
        if beside {
            push(&mut graph, NODE, &node("Relu", &["joined"], "beside", &[]));
        }
        let weights = (0..OUTPUTS * 108).map(|index| (index as f32 * 0.37).sin());
        let raw: Vec<u8> = weights.flat_map(f32::to_le_bytes).collect();
        push(&mut graph, INITIALIZER, &tensor("weights", 1, &[OUTPUTS, 12, 3, 3], &raw));
        push(&mut graph, 11, &value("images", &[1, 3, PICTURE.1, PICTURE.0]));
        push(&mut graph, 12, &value("output", &[1, OUTPUTS, PICTURE.1 / 2, PICTURE.0 / 2]));
        let mut opset = Vec::new();
        push_number(&mut opset, 2, 11);
        let mut model = Vec::new();
        push_number(&mut model, 1, 7);
        push(&mut model, GRAPH, &graph);
        push(&mut model, 8, &opset);
        model
    }

    fn run(model: Vec<u8>) -> Vec<f32> {
        let dims = vec![1, OUTPUTS, PICTURE.1 / 2, PICTURE.0 / 2];
        let expected = [Expected { name: "output".to_owned(), dims }];
        let mut engine = Rten::load(model, "images", &expected).expect("a network");
        let mut picture = Picture::default();
        picture.resize(PICTURE.0, PICTURE.1);
        for y in 0..PICTURE.1 {
            for (channel, row) in picture.row_mut(y, 0, PICTURE.0).into_iter().enumerate() {
                row.iter_mut()
                    .enumerate()
                    .for_each(|(x, v)| *v = ((x * 7 + y * 13 + channel * 5) % 17) as f32);
            }
        }
        let mut found = Vec::new();
        engine.run(&picture, &expected, &mut |outputs| found = outputs[0].to_vec()).expect("it runs");
        found
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
