//! What runs a network. Knows tensors and shapes, not what they mean.

mod onnx_runtime;
mod rten;

pub(crate) use self::onnx_runtime::Library;
pub(super) use self::onnx_runtime::OnnxRuntime;
pub(super) use self::rten::Rten;

use crate::scale::Tensor;

/// Runs one network on one thread.
pub(crate) trait Engine: Send {
    /// Runs the network on `input` and shows `read` the expected outputs, in their order. Outputs that nobody expects
    /// are not even computed, and none outlives the call.
    ///
    /// Fails when an output is missing or has another shape: then `read` sees nothing.
    fn run(&mut self, input: &Tensor, expected: &[Expected], read: &mut Read<'_>) -> Result<(), EngineError>;
}

/// What is done with the outputs.
pub(crate) type Read<'a> = dyn FnMut(&[Output<'_>]) + 'a;

/// An output that a network must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) name: String,
    pub(crate) dims: Vec<usize>,
}

/// The values of an output, row-major; as many as the dimensions of its [`Expected`] say.
pub(crate) type Output<'a> = &'a [f32];

/// Why a network could not be loaded or run. Says nothing about the picture.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The network cannot be prepared.
    #[error("the network cannot be prepared: {0}")]
    Prepare(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The network stopped in the middle.
    #[error("the network failed: {0}")]
    Run(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The network has other inputs or outputs than its card says.
    #[error("the network's {what} is {found}, its card wants {expected}")]
    Shape {
        /// Which input or output.
        what: String,
        /// What the card wants.
        expected: String,
        /// What it is.
        found: String,
    },
}

/// The values of an output when it has the shape that is expected.
fn checked<'a>(expected: &Expected, dims: &[usize], values: &'a [f32]) -> Result<Output<'a>, EngineError> {
    if dims == expected.dims && values.len() == dims.iter().product::<usize>() {
        return Ok(values);
    }
    Err(EngineError::Shape {
        what: format!("output `{}`", expected.name),
        expected: format!("{:?}", expected.dims),
        found: format!("{dims:?}"),
    })
}

/// That the network has exactly one input and exactly the outputs that are expected, by name.
fn check_names<'a>(
    input: &str,
    expected: &[Expected],
    inputs: impl Iterator<Item = &'a str>,
    outputs: impl Iterator<Item = &'a str>,
) -> Result<(), EngineError> {
    same_names("inputs", vec![input], inputs.collect())?;
    same_names("outputs", expected.iter().map(|e| e.name.as_str()).collect(), outputs.collect())
}

fn same_names(what: &str, mut expected: Vec<&str>, mut found: Vec<&str>) -> Result<(), EngineError> {
    expected.sort_unstable();
    found.sort_unstable();
    if expected == found {
        return Ok(());
    }
    Err(EngineError::Shape {
        what: what.to_owned(),
        expected: format!("{expected:?}"),
        found: format!("{found:?}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxes() -> Vec<Expected> {
        ["cls0", "reg0"].map(|name| Expected { name: name.to_owned(), dims: vec![1, 2, 3] }).to_vec()
    }

    #[test]
    fn only_networks_with_the_expected_names_are_taken() {
        // (case, inputs, outputs, whether it is taken)
        let cases: [(&str, &[&str], &[&str], bool); 6] = [
            ("as on the card", &["input"], &["cls0", "reg0"], true),
            ("in another order", &["input"], &["reg0", "cls0"], true),
            ("one that describes faces as well", &["input"], &["cls0", "reg0", "embedding"], false),
            ("one output less", &["input"], &["cls0"], false),
            ("another input", &["face"], &["cls0", "reg0"], false),
            ("two inputs", &["input", "face"], &["cls0", "reg0"], false),
        ];
        for (name, inputs, outputs, taken) in cases {
            let names = check_names("input", &boxes(), inputs.iter().copied(), outputs.iter().copied());
            assert_eq!(names.is_ok(), taken, "{name}: {names:?}");
        }
    }

    #[test]
    fn only_outputs_of_the_expected_shape_are_read() {
        let expected = &boxes()[0];
        let values = [0.0; 12];
        let cases: [(&str, &[usize], usize, bool); 5] = [
            ("as on the card", &[1, 2, 3], 6, true),
            ("turned", &[1, 3, 2], 6, false),
            ("larger", &[1, 2, 6], 12, false),
            ("flat", &[6], 6, false),
            ("fewer values than it says", &[1, 2, 3], 5, false),
        ];
        for (name, dims, length, read) in cases {
            assert_eq!(checked(expected, dims, &values[..length]).is_ok(), read, "{name}");
        }
        let refusal = checked(expected, &[1, 512], &[0.0; 512]).expect_err("an embedding").to_string();
        assert!(
            refusal.contains("cls0") && refusal.contains("[1, 512]") && refusal.contains("[1, 2, 3]"),
            "{refusal}"
        );
    }
}
