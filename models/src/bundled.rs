//! Networks that are compiled in: loading one, and running any number of inputs, a few at a time.

use crate::catalogue::ModelError;
use crate::engine::Engine;
use crate::session::{Fault, Session, Wanted};

/// Pictures that a network takes at once; bounds the memory of a crowd.
const BATCH: usize = 16;

/// A bundled network with one input and one output.
pub(crate) fn bundled(
    engine: &Engine,
    name: &str,
    onnx: &[u8],
    [height, width]: [usize; 2],
) -> Result<Session, ModelError> {
    Session::load(engine, onnx, &Wanted { input: None, outputs: &[], item: [3, height, width] })
        .map_err(|fault| ModelError::from_fault(name, fault))
}

/// Runs any number of inputs, a few at a time, and hands each row of numbers to `take` with the input's index.
pub(crate) fn run_all(
    session: &Session,
    count: usize,
    input: impl Fn(usize) -> Result<Vec<f32>, String>,
    mut take: impl FnMut(usize, &[f32]),
) -> Result<(), Fault> {
    for first in (0..count).step_by(BATCH) {
        let inputs: Vec<Vec<f32>> = (first..count.min(first + BATCH))
            .map(&input)
            .collect::<Result<_, _>>()
            .map_err(Fault::Run)?;
        let items: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let rows = session.run(&items)?;
        for (offset, row) in rows.chunks_exact(session.outputs.max(1)).enumerate() {
            take(first + offset, row);
        }
    }
    Ok(())
}
