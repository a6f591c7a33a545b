//! One network for inputs of several sizes. ONNX Runtime takes any size with one session; tract has to plan for each,
//! which takes time and memory, so sizes come in few steps and only the plans last used are kept.

use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::Engine;
use crate::session::{Fault, Session, Wanted};

/// Plans that are kept.
const MOST: usize = 6;

/// The network, and what it was planned for, the latest last.
pub(super) struct Sizes {
    engine: Engine,
    onnx: &'static [u8],
    first: Arc<Session>,
    planned: Mutex<Vec<([usize; 2], Arc<Session>)>>,
}

impl Sizes {
    /// Loads the network for inputs of this height and width.
    pub(super) fn load(
        engine: &Engine,
        onnx: &'static [u8],
        size: [usize; 2],
    ) -> Result<Sizes, Fault> {
        let first = Arc::new(load(engine, onnx, size)?);
        let planned = Mutex::new(vec![(size, first.clone())]);
        Ok(Sizes { engine: engine.clone(), onnx, first, planned })
    }

    /// `cpu` or `cuda`.
    pub(super) fn device(&self) -> &'static str {
        self.first.device
    }

    /// The numbers for one input of this height and width.
    pub(super) fn run(&self, size: [usize; 2], input: &[f32]) -> Result<Vec<f32>, Fault> {
        self.at(size)?.run(&[input])
    }

    fn at(&self, size: [usize; 2]) -> Result<Arc<Session>, Fault> {
        let planned = || self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |list: &mut Vec<([usize; 2], Arc<Session>)>| {
            let at = list.iter().position(|each| each.0 == size)?;
            let found = list.remove(at);
            list.push(found.clone());
            Some(found.1)
        };
        if let Some(session) = known(&mut planned()) {
            return Ok(session);
        }
        // Planned outside of the lock, so that others go on meanwhile.
        let session = match self.first.for_item([3, size[0], size[1]])? {
            Some(session) => session,
            None => load(&self.engine, self.onnx, size)?,
        };
        let session = Arc::new(session);
        let mut list = planned();
        if known(&mut list).is_none() {
            list.push((size, session.clone()));
            if list.len() > MOST {
                list.remove(0);
            }
        }
        Ok(session)
    }
}

fn load(engine: &Engine, onnx: &[u8], [height, width]: [usize; 2]) -> Result<Session, Fault> {
    Session::load(engine, onnx, &Wanted { input: None, outputs: &[], item: [3, height, width] })
}
