//! Lets a network that was exported for one size of its input run at others: takes the declared sizes out of the ONNX
//! file, where the operators do not need them. Knows some fields of ONNX.
//!
//! Works on bytes whose hash was checked, and copies all but the declarations unchanged: no weight, no operator. A
//! network whose operators do depend on the size fails when it is run at another one, which is tried at start-up.

use super::wire::{Edit, push, rewrite, rewrite_graph};

/// `GraphProto.input`, `.output`, `.value_info`: names with shapes. The last are only hints for what lies between.
const INPUT: u64 = 11;
const OUTPUT: u64 = 12;
const VALUE_INFO: u64 = 13;
/// From `ValueInfoProto` down to the dimensions: `.type`, `.tensor_type`, `.shape`, `.dim`.
const WAY_TO_DIMENSIONS: [u64; 4] = [2, 1, 2, 1];
/// `Dimension.dim_value` and `.dim_param`.
const DIM_VALUE: u64 = 1;
const DIM_PARAM: u64 = 2;

/// The same network with free sizes: every dimension of the inputs but batch and channels, and all of the outputs.
/// `None` when the bytes are no ONNX file.
pub(super) fn with_free_size(model: &[u8]) -> Option<Vec<u8>> {
    rewrite_graph(model, &mut |field| match field.number {
        VALUE_INFO => Edit::Drop,
        INPUT => Edit::Replace(free(field.content, &WAY_TO_DIMENSIONS, 2)),
        OUTPUT => Edit::Replace(free(field.content, &WAY_TO_DIMENSIONS, 0)),
        _ => Edit::Keep,
    })
}

/// Frees the dimensions at the end of the way, all but the first `fixed`.
fn free(message: &[u8], way: &[u64], fixed: usize) -> Option<Vec<u8>> {
    let (&next, rest) = way.split_first()?;
    let mut dimension = 0;
    rewrite(message, &mut |field| {
        if field.number != next {
            return Edit::Keep;
        }
        if !rest.is_empty() {
            return Edit::Replace(free(field.content, rest, fixed));
        }
        dimension += 1;
        if dimension <= fixed { Edit::Keep } else { Edit::Replace(named(field.content, dimension)) }
    })
}

/// A dimension with a name of its own instead of a value.
fn named(content: &[u8], dimension: usize) -> Option<Vec<u8>> {
    let mut named = rewrite(content, &mut |field| match field.number {
        DIM_VALUE | DIM_PARAM => Edit::Drop,
        _ => Edit::Keep,
    })?;
    let name = format!("free{dimension}");
    push(&mut named, DIM_PARAM, name.as_bytes());
    Some(named)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::wire::message;
    use super::*;

    /// A name with a shape.
    fn value(dims: &[&[u8]]) -> Vec<u8> {
        let dims: Vec<(u64, &[u8])> = dims.iter().map(|dim| (1, *dim)).collect();
        let shape = message(&dims);
        let tensor = [&[0x08, 0x01][..], &message(&[(2, &shape)])].concat();
        message(&[(1, b"images"), (2, &message(&[(1, &tensor)]))])
    }

    #[test]
    fn declared_sizes_go_and_the_rest_stays() {
        let (one, three, side) = (&[0x08, 1][..], &[0x08, 3][..], &[0x08, 0xa0, 0x03][..]);
        let weights = [0x5a; 300];
        let model = |input: &[u8], output: &[u8], hint: Option<&[u8]>| {
            let mut fields: Vec<(u64, &[u8])> = vec![(1, b"node"), (5, &weights), (11, input), (12, output)];
            fields.extend(hint.map(|hint| (13, hint)));
            [&[0x08, 0x07][..], &message(&[(7, &message(&fields)), (8, b"opset")])].concat()
        };
        let name = |text: &[u8]| message(&[(2, text)]);
        let fixed =
            model(&value(&[one, three, side, side]), &value(&[one, side]), Some(&value(&[one, side])));
        let free = model(
            &value(&[one, three, &name(b"free3"), &name(b"free4")]),
            &value(&[&name(b"free1"), &name(b"free2")]),
            None,
        );
        assert_eq!(with_free_size(&fixed), Some(free.clone()));
        assert_eq!(with_free_size(&free), Some(free), "what is free stays so");
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let cases: [(&str, &[u8]); 4] = [
            ("a length beyond the end", &[0x3a, 9, 0]),
            ("a graph that is none", &[0x3a, 2, 0x5a, 9]),
            ("a number without an end", &[0xff; 12]),
            ("a wire type that nobody uses", &[0x07, 0]),
        ];
        for (name, bytes) in cases {
            assert_eq!(with_free_size(bytes), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = with_free_size(&bytes);
        }
    }
}
