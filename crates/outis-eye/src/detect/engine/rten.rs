//! Runs a network with rten, which is part of the program: for machines without a runtime library. Knows no models.

use std::mem::ManuallyDrop;
use std::sync::Arc;

use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensorView, TensorView};

use super::{Engine, EngineError, Expected, Output, Read, check_names, checked};
use crate::scale::Tensor;

/// A network in rten.
pub(crate) struct Rten {
    model: Model,
    input: NodeId,
    /// Never dropped: a thread that ends takes leave of the kernel with calls that the jail does not grant, and these end
    /// with the process.
    threads: ManuallyDrop<Arc<ThreadPool>>,
}

impl Rten {
    /// Loads a network from the bytes of its file.
    pub(crate) fn load(model: Vec<u8>, input: &str, expected: &[Expected]) -> Result<Self, EngineError> {
        let model = ModelOptions::with_all_ops()
            .prepack_weights(true)
            .load(model)
            .map_err(|error| EngineError::Prepare(error.into()))?;
        let name = |id: &NodeId| model.node_info(*id).and_then(|node| node.name()).unwrap_or_default();
        check_names(
            input,
            expected,
            model.input_ids().iter().map(name),
            model.output_ids().iter().map(name),
        )?;
        let input = model.node_id(input).map_err(|error| EngineError::Prepare(error.into()))?;
        Ok(Self { model, input, threads: ManuallyDrop::new(Arc::new(ThreadPool::with_num_threads(1))) })
    }
}

impl Engine for Rten {
    fn run(&mut self, input: &Tensor, expected: &[Expected], read: &mut Read<'_>) -> Result<(), EngineError> {
        let failed = |error: rten::RunError| EngineError::Run(error.into());
        let wanted: Vec<NodeId> =
            expected.iter().map(|e| self.model.node_id(&e.name)).collect::<Result<_, _>>().map_err(failed)?;
        let input = NdTensorView::from_data(input.dims(), input.values());
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.threads)));
        let found =
            self.model.run(vec![(self.input, input.into())], &wanted, Some(options)).map_err(failed)?;
        let tensors = found
            .iter()
            .map(|value| {
                TensorView::<f32>::try_from(value).map(|view| (view.shape().to_vec(), view.to_contiguous()))
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| EngineError::Run(error.into()))?;
        let outputs = expected
            .iter()
            .zip(&tensors)
            .map(|(expected, (dims, values))| checked(expected, dims, values.data()))
            .collect::<Result<Vec<Output<'_>>, EngineError>>()?;
        read(&outputs);
        Ok(())
    }
}
