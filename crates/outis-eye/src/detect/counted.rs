//! Cuts off what a network could say about classes that nobody counts. Detectors are trained on eighty (COCO, Lin et al.
//! 2014), bags, books and telephones among them; what is not counted is not even computed. Knows some fields of ONNX.
//!
//! Before the probabilities of the classes comes a convolution with one channel a class. The weights of the others go;
//! those that stay are the same numbers, and so is what the network says with them.

use super::graph::{Graph, INITIALIZER, Node, Tensor, with_numbers};
use super::wire::{Edit, rewrite_graph};

/// The same network with only these of its `class_count` classes, in this order; they rise. `None` when it does not say
/// its classes once for each of `strides` strides in one of the known ways, or the bytes are no ONNX file.
pub(super) fn with_classes(
    model: &[u8],
    class_count: usize,
    strides: usize,
    kept: &[usize],
) -> Option<Vec<u8>> {
    let graph = Graph::of(model)?;
    let found = graph.nodes.iter().filter_map(|node| Said::by(node, &graph, class_count));
    let said: Vec<Said<'_>> = found.collect();
    if said.len() != strides {
        return None;
    }
    rewrite_graph(model, &mut |field| {
        let tensor = Tensor::of(field.content).filter(|_| field.number == INITIALIZER);
        let Some(tensor) = tensor else { return Edit::Keep };
        let cut = if said.iter().any(|said| said.rows.contains(&tensor.name)) {
            with_rows(&tensor, class_count, kept)
        } else if said.iter().any(|said| said.channels == tensor.name) {
            with_channels(&tensor, class_count, kept.len())
        } else {
            return Edit::Keep;
        };
        Edit::Replace(cut.and_then(|(dims, raw)| with_numbers(field.content, &dims, &raw)))
    })
}

/// Where a network says its classes.
struct Said<'a> {
    /// Weights and biases of the convolution, a row a channel, those of the classes first.
    rows: [&'a [u8]; 2],
    /// How many channels there are afterwards.
    channels: &'a [u8],
}

impl<'a> Said<'a> {
    /// `None` when this is no such convolution.
    fn by(node: &Node<'a>, graph: &Graph<'a>, class_count: usize) -> Option<Self> {
        let ([_, weights, biases], [output]) = (&node.inputs[..], &node.outputs[..]) else { return None };
        let (weights, biases) = (graph.stored(weights)?, graph.stored(biases)?);
        let channels = usize::try_from(*weights.dims.first()?).ok()?;
        let others = i64::try_from(channels.checked_sub(class_count)?).ok()?;
        let class_count = i64::try_from(class_count).ok()?;
        let next = graph.only_user(output).filter(|_| node.operator == b"Conv")?;
        let (channels, is_so) = match next.operator {
            // NanoDet: the classes are split from the rest.
            b"Split" => {
                let channels = next.inputs.get(1)?;
                let classes = graph.only_user(next.outputs.first()?)?;
                (
                    channels,
                    graph.integers(channels)? == [class_count, others] && classes.operator == b"Sigmoid",
                )
            }
            // YOLOX: they come behind the rest, all in one row a cell.
            b"Sigmoid" if others == 0 => {
                let joined = graph.only_user(next.outputs.first()?)?;
                let shaped = graph.only_user(joined.outputs.first()?)?;
                let channels = shaped.inputs.get(1)?;
                let is_last = joined.inputs.last() == next.outputs.first();
                let is_joined = joined.operator == b"Concat" && shaped.operator == b"Reshape";
                let is_shape =
                    matches!(graph.integers(channels)?[..], [1, channels, -1] if channels > class_count);
                (channels, is_last && is_joined && is_shape)
            }
            _ => return None,
        };
        is_so.then_some(Self { rows: [weights.name, biases.name], channels })
    }
}

/// Without the rows of the classes that go.
fn with_rows(tensor: &Tensor<'_>, class_count: usize, kept: &[usize]) -> Option<(Vec<u64>, Vec<u8>)> {
    let (&channels, row_dims) = tensor.dims.split_first()?;
    let channels = usize::try_from(channels).ok()?;
    let row_bytes = tensor.raw.len().checked_div(channels)?;
    if row_bytes == 0 || row_bytes * channels != tensor.raw.len() {
        return None;
    }
    let rows: Vec<usize> = kept.iter().copied().chain(class_count..channels).collect();
    let mut raw = Vec::with_capacity(rows.len() * row_bytes);
    for row in &rows {
        raw.extend_from_slice(tensor.raw.get(row * row_bytes..(row + 1) * row_bytes)?);
    }
    let dims = std::iter::once(rows.len() as u64).chain(row_dims.iter().copied());
    Some((dims.collect(), raw))
}

/// With fewer classes among the channels.
fn with_channels(tensor: &Tensor<'_>, class_count: usize, kept: usize) -> Option<(Vec<u64>, Vec<u8>)> {
    let (class_count, kept) = (i64::try_from(class_count).ok()?, i64::try_from(kept).ok()?);
    let mut numbers: Vec<i64> =
        tensor.raw.as_chunks().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect();
    // The first is the one that the classes are among.
    let channels = numbers.iter_mut().find(|number| **number >= class_count)?;
    *channels = *channels - class_count + kept;
    Some((tensor.dims.clone(), numbers.iter().flat_map(|number| number.to_le_bytes()).collect()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::graph::{attribute, written};
    use super::*;

    const PICTURE: (usize, usize) = (4, 3);
    const CELLS: usize = PICTURE.0 * PICTURE.1;
    const CLASSES: usize = 8;
    const KEPT: [usize; 3] = [0, 2, 7];
    /// What a YOLOX says before its classes.
    const HEAD: usize = 5;
    /// What a NanoDet says beside them.
    const SIDES: usize = 6;

    fn convolution(input: &str, name: &str) -> Vec<u8> {
        let [weights, biases] = ["weights", "biases"].map(|kind| format!("{name}.{kind}"));
        let attributes = [("kernel_shape", &[1, 1][..]), ("strides", &[1, 1]), ("pads", &[0; 4])];
        let attributes = attributes.map(|(name, values)| attribute(name, values));
        written::node("Conv", &[input, &weights, &biases], &[name], &attributes)
    }

    fn numbers(name: &str, channels: usize) -> [Vec<u8>; 2] {
        let weights = written::weights(&format!("{name}.weights"), &[channels, 3, 1, 1]);
        [weights, written::weights(&format!("{name}.biases"), &[channels])]
    }

    /// The end of a YOLOX with one stride. `order` is how its parts are joined.
    fn yolox(order: [&str; 2]) -> Vec<u8> {
        let axis = [written::number("axis", 1)];
        let nodes = [
            convolution("images", "said"),
            convolution("images", "head"),
            written::node("Sigmoid", &["said"], &["classes"], &[]),
            written::node("Concat", &order, &["joined"], &axis),
            written::node("Reshape", &["joined", "shape"], &["output"], &[]),
        ];
        let shape = [1, (HEAD + CLASSES) as i64, -1];
        let tensors = [numbers("said", CLASSES), numbers("head", HEAD)].concat();
        let tensors = [tensors, vec![written::integers("shape", &shape)]].concat();
        let output = ("output", &[1, HEAD + CLASSES, CELLS][..]);
        written::model(&nodes, &tensors, &[1, 3, PICTURE.1, PICTURE.0], &[output])
    }

    /// The end of a NanoDet with one stride.
    fn nanodet(sizes: [i64; 2]) -> Vec<u8> {
        let nodes = [
            convolution("images", "said"),
            written::node("Split", &["said", "sizes"], &["classes", "reg0"], &[written::number("axis", 1)]),
            written::node("Sigmoid", &["classes"], &["cls0"], &[]),
        ];
        let tensors = [&numbers("said", CLASSES + SIDES)[..], &[written::integers("sizes", &sizes)]].concat();
        let [classes, sides] = [CLASSES, SIDES].map(|channels| [1, channels, PICTURE.1, PICTURE.0]);
        let outputs = [("cls0", &classes[..]), ("reg0", &sides[..])];
        written::model(&nodes, &tensors, &[1, 3, PICTURE.1, PICTURE.0], &outputs)
    }

    const SIZES: [i64; 2] = [CLASSES as i64, SIDES as i64];

    /// The channels of these numbers, from the values of all.
    fn channels(values: &[f32], wanted: impl Iterator<Item = usize>) -> Vec<f32> {
        wanted.flat_map(|channel| values[channel * CELLS..][..CELLS].to_vec()).collect()
    }

    #[test]
    fn what_is_left_is_said_as_before() {
        let whole = yolox(["head", "classes"]);
        let cut = with_classes(&whole, CLASSES, 1, &KEPT).expect("it ends so");
        let before = written::run(whole, PICTURE, &[("output", &[1, HEAD + CLASSES, CELLS])]);
        let after = written::run(cut, PICTURE, &[("output", &[1, HEAD + KEPT.len(), CELLS])]);
        let kept = (0..HEAD).chain(KEPT.map(|class| HEAD + class));
        assert_eq!(after, [channels(&before[0], kept)]);

        let sides = ("reg0", &[1, SIDES, PICTURE.1, PICTURE.0][..]);
        let whole = nanodet(SIZES);
        let cut = with_classes(&whole, CLASSES, 1, &KEPT).expect("it ends so");
        let before = written::run(whole, PICTURE, &[("cls0", &[1, CLASSES, PICTURE.1, PICTURE.0]), sides]);
        let after = written::run(cut, PICTURE, &[("cls0", &[1, KEPT.len(), PICTURE.1, PICTURE.0]), sides]);
        assert_eq!(after, [channels(&before[0], KEPT.into_iter()), before[1].clone()]);
    }

    #[test]
    fn a_network_that_ends_otherwise_is_left_alone() {
        let (usual, split) = (yolox(["head", "classes"]), nanodet(SIZES));
        let cases = [
            ("classes come first", yolox(["classes", "head"]), CLASSES, 1),
            ("other classes", usual.clone(), CLASSES - 1, 1),
            ("more strides", usual, CLASSES, 3),
            ("split elsewhere", nanodet([7, 7]), CLASSES, 1),
            ("other classes, split", split, CLASSES + 1, 1),
            ("no network", b"nothing".to_vec(), CLASSES, 1),
        ];
        for (name, model, class_count, strides) in cases {
            assert_eq!(with_classes(&model, class_count, strides, &KEPT), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(at in 0_usize..2_000, byte in any::<u8>(), split: bool) {
            let mut model = if split { nanodet(SIZES) } else { yolox(["head", "classes"]) };
            let at = at % model.len();
            model[at] = byte;
            let _ = with_classes(&model, CLASSES, 1, &KEPT);
        }
    }
}
