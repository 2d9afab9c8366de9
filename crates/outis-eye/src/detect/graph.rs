//! What an ONNX graph is made of: operators, and numbers by name. Knows some fields of ONNX, and no network.

use std::collections::BTreeMap;

use super::wire::{Edit, Field, GRAPH, fields, numbers, push, push_number, rewrite};

/// `GraphProto.node`, `.initializer`.
pub(super) const NODE: u64 = 1;
pub(super) const INITIALIZER: u64 = 5;
/// `NodeProto.input`, `.output`, `.op_type`, `.attribute`.
pub(super) const NODE_INPUT: u64 = 1;
pub(super) const NODE_OUTPUT: u64 = 2;
pub(super) const NODE_OPERATOR: u64 = 4;
pub(super) const NODE_ATTRIBUTE: u64 = 5;
/// `AttributeProto.name`, `.ints`, `.type` and the type's number for many integers.
pub(super) const ATTRIBUTE_NAME: u64 = 1;
pub(super) const ATTRIBUTE_INTS: u64 = 8;
const ATTRIBUTE_TYPE: u64 = 20;
const INTS: u64 = 7;
/// `TensorProto.dims`, `.name`, `.raw_data`.
pub(super) const TENSOR_DIMS: u64 = 1;
pub(super) const TENSOR_NAME: u64 = 8;
pub(super) const TENSOR_RAW: u64 = 9;

/// Operators in their order, and numbers by name.
pub(super) struct Graph<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) tensors: BTreeMap<&'a [u8], Tensor<'a>>,
}

impl<'a> Graph<'a> {
    /// Of a model; `None` when the bytes are no ONNX file.
    pub(super) fn of(model: &'a [u8]) -> Option<Self> {
        let content = fields(model)?.into_iter().find(|field| field.number == GRAPH)?.content;
        let mut graph = Self { nodes: Vec::new(), tensors: BTreeMap::new() };
        for field in fields(content)? {
            match field.number {
                NODE => graph.nodes.push(Node::of(field.content)?),
                INITIALIZER => {
                    let tensor = Tensor::of(field.content)?;
                    graph.tensors.insert(tensor.name, tensor);
                }
                _ => {}
            }
        }
        Some(graph)
    }

    /// The operator that makes this.
    pub(super) fn maker(&self, name: &[u8]) -> Option<&Node<'a>> {
        self.nodes.iter().find(|node| node.outputs.contains(&name))
    }

    /// The operator that works with this, when it is the only one.
    pub(super) fn only_user(&self, name: &[u8]) -> Option<&Node<'a>> {
        let mut users = self.nodes.iter().filter(|node| node.inputs.contains(&name));
        users.next().filter(|_| users.next().is_none())
    }

    /// The numbers of this name, or those that are converted to them: many files hold numbers of two bytes.
    pub(super) fn stored(&self, name: &[u8]) -> Option<&Tensor<'a>> {
        self.tensors.get(name).or_else(|| {
            let converted = self.maker(name).filter(|node| node.operator == b"Cast")?;
            self.tensors.get(converted.inputs.first()?)
        })
    }

    /// Whole numbers by name, when they have eight bytes each.
    pub(super) fn integers(&self, name: &[u8]) -> Option<Vec<i64>> {
        let (numbers, rest) = self.tensors.get(name)?.raw.as_chunks();
        rest.is_empty().then(|| numbers.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect())
    }
}

/// One operator.
pub(super) struct Node<'a> {
    pub(super) operator: &'a [u8],
    pub(super) inputs: Vec<&'a [u8]>,
    pub(super) outputs: Vec<&'a [u8]>,
}

impl<'a> Node<'a> {
    /// `None` when it is none.
    pub(super) fn of(content: &'a [u8]) -> Option<Self> {
        let fields = fields(content)?;
        let operator = contents(&fields, NODE_OPERATOR).pop().unwrap_or_default();
        Some(Self {
            operator,
            inputs: contents(&fields, NODE_INPUT),
            outputs: contents(&fields, NODE_OUTPUT),
        })
    }
}

/// Numbers by name.
pub(super) struct Tensor<'a> {
    pub(super) name: &'a [u8],
    pub(super) dims: Vec<u64>,
    pub(super) raw: &'a [u8],
}

impl<'a> Tensor<'a> {
    /// `None` when it is none.
    pub(super) fn of(content: &'a [u8]) -> Option<Self> {
        let fields = fields(content)?;
        let last = |number| contents(&fields, number).pop().unwrap_or_default();
        Some(Self { name: last(TENSOR_NAME), dims: numbers(&fields, TENSOR_DIMS)?, raw: last(TENSOR_RAW) })
    }
}

/// What all fields of one number hold.
pub(super) fn contents<'a>(fields: &[Field<'a>], number: u64) -> Vec<&'a [u8]> {
    fields.iter().filter(|field| field.number == number).map(|field| field.content).collect()
}

/// A tensor's content with other sides and numbers; `None` when it is none.
pub(super) fn with_numbers(content: &[u8], dims: &[u64], raw: &[u8]) -> Option<Vec<u8>> {
    let mut written = rewrite(content, &mut |field| match field.number {
        TENSOR_DIMS | TENSOR_RAW => Edit::Drop,
        _ => Edit::Keep,
    })?;
    dims.iter().for_each(|side| push_number(&mut written, TENSOR_DIMS, *side));
    push(&mut written, TENSOR_RAW, raw);
    Some(written)
}

/// An attribute that is many integers.
pub(super) fn attribute(name: &str, values: &[u64]) -> Vec<u8> {
    let mut written = Vec::new();
    push(&mut written, ATTRIBUTE_NAME, name.as_bytes());
    values.iter().for_each(|value| push_number(&mut written, ATTRIBUTE_INTS, *value));
    push_number(&mut written, ATTRIBUTE_TYPE, INTS);
    written
}

/// Networks for tests, written field by field.
#[cfg(test)]
pub(super) mod written {
    use super::super::engine::{Engine, Expected, Rten};
    use super::super::wire::{message, push, push_number};
    use super::*;
    use crate::scale::Tensor as Picture;

    pub(in super::super) fn node(
        operator: &str,
        inputs: &[&str],
        outputs: &[&str],
        attributes: &[Vec<u8>],
    ) -> Vec<u8> {
        let mut fields: Vec<(u64, &[u8])> = inputs.iter().map(|name| (NODE_INPUT, name.as_bytes())).collect();
        fields.extend(outputs.iter().map(|name| (NODE_OUTPUT, name.as_bytes())));
        fields.push((NODE_OPERATOR, operator.as_bytes()));
        fields.extend(attributes.iter().map(|attribute| (NODE_ATTRIBUTE, attribute.as_slice())));
        message(&fields)
    }

    /// An attribute that is one number.
    pub(in super::super) fn number(name: &str, value: u64) -> Vec<u8> {
        let mut written = Vec::new();
        push(&mut written, 1, name.as_bytes());
        push_number(&mut written, 3, value);
        push_number(&mut written, 20, 2);
        written
    }

    fn tensor(name: &str, kind: u64, dims: &[usize], raw: &[u8]) -> Vec<u8> {
        let mut written = Vec::new();
        dims.iter().for_each(|side| push_number(&mut written, TENSOR_DIMS, *side as u64));
        push_number(&mut written, 2, kind);
        push(&mut written, TENSOR_NAME, name.as_bytes());
        push(&mut written, TENSOR_RAW, raw);
        written
    }

    /// Weights of a name, no two alike.
    pub(in super::super) fn weights(name: &str, dims: &[usize]) -> Vec<u8> {
        let weights = (0..dims.iter().product()).map(|index: usize| (index as f32 * 0.37).sin());
        tensor(name, 1, dims, &weights.flat_map(f32::to_le_bytes).collect::<Vec<u8>>())
    }

    pub(in super::super) fn integers(name: &str, values: &[i64]) -> Vec<u8> {
        let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        tensor(name, 7, &[values.len()], &raw)
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

    /// A whole model, from the sides of its input `images` and of its outputs.
    pub(in super::super) fn model(
        nodes: &[Vec<u8>],
        tensors: &[Vec<u8>],
        input: &[usize],
        outputs: &[(&str, &[usize])],
    ) -> Vec<u8> {
        let mut graph = Vec::new();
        nodes.iter().for_each(|node| push(&mut graph, NODE, node));
        tensors.iter().for_each(|tensor| push(&mut graph, INITIALIZER, tensor));
        push(&mut graph, 11, &value("images", input));
        outputs.iter().for_each(|(name, dims)| push(&mut graph, 12, &value(name, dims)));
        let mut opset = Vec::new();
        push_number(&mut opset, 2, 13);
        let mut model = Vec::new();
        push_number(&mut model, 1, 7);
        push(&mut model, GRAPH, &graph);
        push(&mut model, 8, &opset);
        model
    }

    /// What a model says about a picture of this width and height.
    pub(in super::super) fn run(
        model: Vec<u8>,
        (width, height): (usize, usize),
        outputs: &[(&str, &[usize])],
    ) -> Vec<Vec<f32>> {
        let expected =
            |(name, dims): &(&str, &[usize])| Expected { name: (*name).to_owned(), dims: dims.to_vec() };
        let expected: Vec<Expected> = outputs.iter().map(expected).collect();
        let mut engine = Rten::load(model, "images", &expected).expect("a network");
        let mut picture = Picture::default();
        picture.resize(width, height);
        for y in 0..height {
            for (channel, row) in picture.row_mut(y, 0, width).into_iter().enumerate() {
                row.iter_mut()
                    .enumerate()
                    .for_each(|(x, v)| *v = ((x * 7 + y * 13 + channel * 5) % 17) as f32);
            }
        }
        let mut found = Vec::new();
        let read = &mut |outputs: &[&[f32]]| found = outputs.iter().map(|values| values.to_vec()).collect();
        engine.run(&picture, &expected, read).expect("it runs");
        found
    }
}
