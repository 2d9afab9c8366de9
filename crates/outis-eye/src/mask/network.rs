//! One network for faces, ready: its input, its engine and its card. Knows no people.

use super::card::MaskCard;
use crate::Frame;
use crate::detect::{DetectError, Engine, EngineError, Library, Output, Sheet, engine};
use crate::scale::Scaler;

/// A network behind its card.
pub(super) struct Network {
    pub(super) card: &'static MaskCard,
    scaler: Scaler,
    engine: Box<dyn Engine>,
}

impl Network {
    /// Loads a network from the bytes of its file, and runs it once: that its outputs are those of its card, and no
    /// others, is checked by name now and by shape at every run.
    pub(super) fn load(
        card: &'static MaskCard,
        model: Vec<u8>,
        library: Option<&Library>,
    ) -> Result<Self, EngineError> {
        let scaler = Scaler::new(card.input_size(), card.normalisation());
        let expected = card.expected(card.input_size().largest_px());
        let engine = engine(model, library, &card.input_name, &expected)?;
        let mut network = Self { card, scaler, engine };
        network.engine.run(network.scaler.blank(), &expected, &mut |_| {})?;
        network.scaler.wipe();
        Ok(network)
    }

    /// Shows the network the parts of a frame, and `read` the outputs in the order of the card.
    pub(super) fn run<T>(
        &mut self,
        frame: &Frame,
        sheet: &Sheet,
        mut read: impl FnMut(&[Output<'_>]) -> T,
    ) -> Result<Option<T>, DetectError> {
        let input = self.scaler.paint(frame, sheet)?;
        let expected = self.card.expected(sheet.input_px);
        let mut answer = None;
        self.engine.run(input, &expected, &mut |outputs| answer = Some(read(outputs)))?;
        Ok(answer)
    }

    /// Wipes what was shown last.
    pub(super) fn wipe(&mut self) {
        self.scaler.wipe();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cached;
    use crate::detect::{Runtime, library};

    /// Protocol buffers by hand: a network of one matrix product that says 128 numbers about a face, under the very
    /// names of a card.
    fn embedding_network(output: &str, numbers: u64) -> Vec<u8> {
        fn varint(mut value: u64) -> Vec<u8> {
            let mut bytes = Vec::new();
            while value >= 0x80 {
                bytes.push(value as u8 | 0x80);
                value >>= 7;
            }
            bytes.push(value as u8);
            bytes
        }
        let number = |field: u64, value: u64| [varint(field << 3), varint(value)].concat();
        let bytes = |field: u64, content: &[u8]| {
            [varint(field << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
        };
        let node = |op: &str, inputs: &[&str], output: &str| {
            let inputs: Vec<u8> = inputs.iter().flat_map(|name| bytes(1, name.as_bytes())).collect();
            [inputs, bytes(2, output.as_bytes()), bytes(4, op.as_bytes())].concat()
        };
        let value = |name: &str, dims: &[u64]| {
            let dims: Vec<u8> = dims.iter().flat_map(|dim| bytes(1, &number(1, *dim))).collect();
            let tensor = [number(1, 1), bytes(2, &dims)].concat();
            [bytes(1, name.as_bytes()), bytes(2, &bytes(1, &tensor))].concat()
        };
        let weights = [
            number(1, 3),
            number(1, numbers),
            number(2, 1),
            bytes(8, b"weights"),
            bytes(9, &vec![0; 3 * 4 * numbers as usize]),
        ];
        let graph = [
            bytes(1, &node("GlobalAveragePool", &["input"], "mean")),
            bytes(1, &node("Flatten", &["mean"], "flat")),
            bytes(1, &node("MatMul", &["flat", "weights"], output)),
            bytes(2, b"face"),
            bytes(5, &weights.concat()),
            bytes(11, &value("input", &[1, 3, 224, 224])),
            bytes(12, &value(output, &[1, numbers])),
        ];
        [number(1, 8), bytes(7, &graph.concat()), bytes(8, &number(2, 13))].concat()
    }

    /// The hash keeps unknown files out; this is what would happen to one that came in all the same.
    #[test]
    fn a_network_that_describes_faces_is_refused() {
        let card = MaskCard::of("mask-mobilenet-v2").unwrap();
        let runtime = cached::folder().join("runtime/libonnxruntime.so.1.23.2");
        let runtimes = [Runtime::Rten, Runtime::OnnxRuntime(runtime)];
        let libraries = runtimes.map(|runtime| library(&runtime).expect("fetched by `make models`"));
        for library in &libraries {
            let load =
                |output, numbers| Network::load(card, embedding_network(output, numbers), library.as_ref());
            let load = |output, numbers| load(output, numbers).map(|_| ()).map_err(|error| error.to_string());
            assert_eq!(load("classes", 2), Ok(()), "what the card says is taken");
            let refused = load("classes", 128).unwrap_err();
            assert!(refused.contains("128") && refused.contains("classes"), "{refused}");
            let refused = load("embedding", 128).unwrap_err();
            assert!(refused.contains("embedding"), "{refused}");
        }
        let refused = card.read(&cached::folder().join("models/nanodet-g.onnx")).unwrap_err().to_string();
        assert!(refused.contains("not the known file"), "{refused}");
    }
}
