//! Runs a network with ONNX Runtime, from a library file that was hashed before. Knows no models.

use std::error::Error;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{OutputSelector, RunOptions, Session};
use ort::value::TensorRef;

use super::{Engine, EngineError, Expected, Output, Read, check_names, checked};
use crate::scale::Tensor;

/// The library is loaded once in a process, and it wants one environment.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// Joins a sigmoid and a product to one step that knows the plain layout only, so that each convolution before and after
/// it turns its values around. Without it YOLOX-nano takes 0.85 of the time, and every value of its outputs stays the same.
const OPTIMIZERS_OFF: &str = "QuickGeluFusion";

/// The library, linked.
pub(crate) struct Library(Environment);

impl Library {
    /// Links the library that `file` is open on. Starts no thread.
    pub(crate) fn link(file: &File) -> Result<Self, Box<dyn Error + Send + Sync>> {
        environment(file).map(Self)
    }
}

/// A network in ONNX Runtime.
pub(crate) struct OnnxRuntime {
    session: Session,
}

impl OnnxRuntime {
    /// Loads a network from the bytes of its file.
    pub(crate) fn load(
        library: &Library,
        model: &[u8],
        input: &str,
        expected: &[Expected],
    ) -> Result<Self, EngineError> {
        let session = session(&library.0, model).map_err(|error| EngineError::Prepare(error.into()))?;
        let inputs = session.inputs().iter().map(|input| input.name());
        let outputs = session.outputs().iter().map(|output| output.name());
        check_names(input, expected, inputs, outputs)?;
        Ok(Self { session })
    }
}

impl Engine for OnnxRuntime {
    fn run(&mut self, input: &Tensor, expected: &[Expected], read: &mut Read<'_>) -> Result<(), EngineError> {
        let failed = |error: ort::Error| EngineError::Run(error.into());
        let input = TensorRef::from_array_view((input.dims(), input.values())).map_err(failed)?;
        let wanted = expected.iter().fold(OutputSelector::no_default(), |wanted, e| wanted.with(&e.name));
        let options = RunOptions::new().map_err(failed)?.with_outputs(wanted);
        let found = self.session.run_with_options(ort::inputs![input], &options).map_err(failed)?;
        let outputs = expected
            .iter()
            .map(|expected| {
                let (shape, values) = found[expected.name.as_str()].try_extract_tensor().map_err(failed)?;
                let dims: Vec<usize> = shape.iter().map(|side| usize::try_from(*side).unwrap_or(0)).collect();
                checked(expected, &dims, values)
            })
            .collect::<Result<Vec<Output<'_>>, EngineError>>()?;
        read(&outputs);
        Ok(())
    }
}

/// Loads the library through its descriptor, not by its path: the bytes are those that were hashed, and the library,
/// which looks for its own dependencies in the folder it lies in, finds no planted ones beside it.
fn environment(library: &File) -> Result<Environment, Box<dyn Error + Send + Sync>> {
    let mut known = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = &*known {
        return Ok(environment.clone());
    }
    let path = format!("/proc/self/fd/{}", library.as_raw_fd());
    let environment = ort::init_from(path)?
        .with_name("outis")
        .with_telemetry(false)
        .with_logger(Arc::new(|_, _, _, _, _| {}))
        .build()?;
    environment.set_log_level(LogLevel::Fatal);
    Ok(known.insert(environment).clone())
}

/// One thread, which sleeps when there is nothing to do: more threads cost more processor time for the same picture.
fn session(environment: &Environment, model: &[u8]) -> ort::Result<Session> {
    let mut builder: SessionBuilder = Session::builder(environment)?
        .with_log_level(LogLevel::Fatal)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_parallel_execution(false)?
        .with_intra_op_spinning(false)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_disabled_optimizers(OPTIMIZERS_OFF)?
        // Weights get memory of their own size, not a share of an arena that grows by doubling.
        .with_device_allocated_initializers()?;
    builder.commit_from_memory(model)
}
