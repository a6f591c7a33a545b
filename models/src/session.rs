//! One loaded ONNX graph on either engine: pictures as float32 in, one row of numbers a picture out. A graph
//! with several outputs gives them one after the other in the row.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use ort::ep;
use ort::session::Session as OrtSession;
use ort::value::{Outlet, TensorElementType, TensorRef};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::model::IntoRunnable;
use tract_onnx::tract_core::plan::SimplePlan;
use tract_onnx::tract_hir::infer::Factoid;

use crate::engine::{Backend, Engine};

/// What the manifest says about the graph.
pub(crate) struct Wanted<'a> {
    /// Name of the input, where it is given.
    pub input: Option<&'a str>,
    /// Names of the outputs in the order of the row; none for the only one.
    pub outputs: &'a [&'a str],
    /// The input's dimensions without the batch.
    pub item: [usize; 3],
}

/// Why a graph cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The bytes are no ONNX model that the engine can load.
    Load(String),
    /// Inputs or outputs are not those of the manifest.
    Shape(String),
    /// The engine failed while computing.
    Run(String),
}

/// A loaded graph.
pub(crate) struct Session {
    kind: Kind,
    item: [usize; 3],
    /// Numbers in the output for each picture.
    pub outputs: usize,
    /// Whether several pictures can be computed together with a gain.
    pub batches: bool,
    /// `cpu` or `cuda`.
    pub device: &'static str,
}

enum Kind {
    /// ONNX Runtime must not run one session from two threads (see `ort`), so it stands behind a lock.
    Ort { session: Mutex<OrtSession>, outputs: Vec<String> },
    /// Made for one picture: a fixed shape lets tract optimise. Pictures of a batch go to several threads.
    Tract { plan: Arc<Plan>, threads: usize },
}

type Plan = SimplePlan<TypedFact, Box<dyn TypedOp>>;

impl Session {
    /// Loads `onnx`. Where the graph does not say how many numbers it gives, it is run once on zeros.
    pub(crate) fn load(engine: &Engine, onnx: &[u8], wanted: &Wanted) -> Result<Session, Fault> {
        let mut session = match &engine.backend {
            Backend::OnnxRuntime(environment, cuda) => {
                let threads = engine.info().threads;
                load_ort(environment, *cuda, threads, onnx, wanted)?
            }
            Backend::Tract => load_tract(engine.info().threads, onnx, wanted)?,
        };
        if session.outputs == 0 {
            let zeros = vec![0.0; wanted.item.iter().product()];
            session.outputs = session.run_some(&[&zeros])?.len();
        }
        Ok(session)
    }

    /// Runs any number of pictures, each as long as the product of the item's dimensions: one row of
    /// [`Session::outputs`] numbers a picture, one after the other.
    pub(crate) fn run(&self, items: &[&[f32]]) -> Result<Vec<f32>, Fault> {
        let rows = if self.batches || items.len() < 2 {
            self.run_some(items)?
        } else {
            let mut rows = Vec::with_capacity(items.len() * self.outputs);
            for item in items {
                rows.extend(self.run_some(std::slice::from_ref(item))?);
            }
            rows
        };
        if rows.len() == items.len() * self.outputs {
            Ok(rows)
        } else {
            Err(Fault::Run(format!("{} numbers for {} pictures", rows.len(), items.len())))
        }
    }

    fn run_some(&self, items: &[&[f32]]) -> Result<Vec<f32>, Fault> {
        match &self.kind {
            Kind::Ort { session, outputs } => run_ort(session, outputs, items, self.item),
            Kind::Tract { plan, threads } => run_tract(plan, *threads, items, self.item),
        }
    }
}

fn load_ort(
    environment: &ort::environment::Environment,
    cuda: bool,
    threads: usize,
    onnx: &[u8],
    wanted: &Wanted,
) -> Result<Session, Fault> {
    let (session, device) = match cuda.then(|| commit(environment, true, threads, onnx)) {
        Some(Ok(session)) => (session, "cuda"),
        Some(Err(reason)) => {
            tracing::warn!(%reason, "this model does not load on the GPU; using the processor");
            (commit(environment, false, threads, onnx).map_err(Fault::Load)?, "cpu")
        }
        None => (commit(environment, false, threads, onnx).map_err(Fault::Load)?, "cpu"),
    };
    let input = only(session.inputs(), wanted.input, "input")?;
    if session.inputs().len() > 1 {
        let names: Vec<&str> = session.inputs().iter().map(Outlet::name).collect();
        return Err(Fault::Shape(format!("it has {} inputs ({})", names.len(), names.join(", "))));
    }
    if input.dtype().tensor_type() != Some(TensorElementType::Float32) {
        return Err(Fault::Shape(format!("its input is {}, not a float32 tensor", input.dtype())));
    }
    let shape: Vec<i64> =
        input.dtype().tensor_shape().map(|shape| shape.to_vec()).unwrap_or_default();
    let shape: Vec<Option<usize>> = shape.iter().map(|dim| usize::try_from(*dim).ok()).collect();
    let batches = check_shape(&shape, wanted.item)?;
    let outlets = if wanted.outputs.is_empty() {
        vec![only(session.outputs(), None, "output")?]
    } else {
        let named = |name: &&str| only(session.outputs(), Some(name), "output");
        wanted.outputs.iter().map(named).collect::<Result<Vec<_>, _>>()?
    };
    let numbers: Option<usize> = outlets.iter().map(|outlet| numbers(outlet)).sum();
    let outputs = outlets.into_iter().map(|outlet| outlet.name().to_owned()).collect();
    Ok(Session {
        kind: Kind::Ort { session: Mutex::new(session), outputs },
        item: wanted.item,
        outputs: numbers.unwrap_or(0),
        batches,
        device,
    })
}

/// How many numbers an output has for each picture, where it is float32 and says so.
fn numbers(outlet: &Outlet) -> Option<usize> {
    if outlet.dtype().tensor_type() != Some(TensorElementType::Float32) {
        return None;
    }
    let shape = outlet.dtype().tensor_shape()?.to_vec();
    let sides = shape.iter().skip(1).map(|side| usize::try_from(*side).ok());
    let all: Option<usize> = sides.product();
    all.filter(|count| *count > 0 && shape.len() > 1)
}

fn commit(
    environment: &ort::environment::Environment,
    cuda: bool,
    threads: usize,
    onnx: &[u8],
) -> Result<OrtSession, String> {
    let text = |error: ort::Error<_>| error.to_string();
    // Threads that spin while they wait take the processor from everybody else. An arena grows with the largest batch
    // and never shrinks, and plans for every batch size are kept: without both, memory is given back after a run.
    let mut builder = OrtSession::builder(environment)
        .map_err(|error| error.to_string())?
        .with_intra_threads(threads)
        .map_err(text)?
        .with_intra_op_spinning(false)
        .map_err(text)?
        .with_memory_pattern(false)
        .map_err(text)?;
    let cpu = ep::CPU::default().with_arena_allocator(false).build();
    builder = match cuda {
        true => builder
            .with_execution_providers([ep::CUDA::default().build().error_on_failure(), cpu])
            .map_err(text)?,
        false => builder.with_execution_providers([cpu]).map_err(text)?,
    };
    builder.commit_from_memory(onnx).map_err(|error| error.to_string())
}

/// The outlet called `name`, or the only one.
fn only<'a>(outlets: &'a [Outlet], name: Option<&str>, what: &str) -> Result<&'a Outlet, Fault> {
    let names: Vec<&str> = outlets.iter().map(Outlet::name).collect();
    let index = index_of(&names, name, what)?;
    Ok(&outlets[index])
}

fn index_of(names: &[&str], name: Option<&str>, what: &str) -> Result<usize, Fault> {
    let found = match name {
        Some(name) => names.iter().position(|each| *each == name),
        None => (names.len() == 1).then_some(0),
    };
    found.ok_or_else(|| {
        let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Fault::Shape(match name {
            Some(name) => format!("it has no {what} {name:?}; its {what}s are: {there}"),
            None => format!("the manifest must name the {what}; there are: {there}"),
        })
    })
}

/// Whether the batch dimension is open; an error when the shape is not `[batch, item..]`.
fn check_shape(shape: &[Option<usize>], item: [usize; 3]) -> Result<bool, Fault> {
    let fits = shape.len() == 4
        && matches!(shape[0], None | Some(1))
        && shape[1..].iter().zip(item).all(|(there, want)| there.is_none_or(|there| there == want));
    if fits {
        return Ok(shape[0].is_none());
    }
    let there: Vec<String> =
        shape.iter().map(|dim| dim.map_or("?".into(), |dim| dim.to_string())).collect();
    Err(Fault::Shape(format!(
        "its input has the shape [{}], the manifest says [N, {}, {}, {}] with N open or 1",
        there.join(", "),
        item[0],
        item[1],
        item[2]
    )))
}

fn run_ort(
    session: &Mutex<OrtSession>,
    outputs: &[String],
    items: &[&[f32]],
    item: [usize; 3],
) -> Result<Vec<f32>, Fault> {
    let fault = |error: ort::Error| Fault::Run(error.to_string());
    let joined;
    let values: &[f32] = if let [one] = items {
        one
    } else {
        joined = items.concat();
        &joined
    };
    let shape = [items.len(), item[0], item[1], item[2]];
    let input = TensorRef::from_array_view((shape, values)).map_err(fault)?;
    let mut session = session.lock().unwrap_or_else(PoisonError::into_inner);
    let results = session.run(ort::inputs![input]).map_err(fault)?;
    let mut parts = Vec::with_capacity(outputs.len());
    for output in outputs {
        let value =
            results.get(output).ok_or_else(|| Fault::Run(format!("no output {output:?}")))?;
        let (_, part) = value.try_extract_tensor::<f32>().map_err(|error| {
            Fault::Shape(format!("its output {output:?} is not a float32 tensor ({error})"))
        })?;
        parts.push(part);
    }
    if let [row] = parts.as_slice() {
        return Ok(row.to_vec());
    }
    // Each output holds all pictures; a row holds all outputs of one.
    let mut rows = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
    for picture in 0..items.len() {
        for part in &parts {
            let share = part.len() / items.len();
            rows.extend_from_slice(&part[picture * share..(picture + 1) * share]);
        }
    }
    Ok(rows)
}

fn load_tract(threads: usize, onnx: &[u8], wanted: &Wanted) -> Result<Session, Fault> {
    let (plan, outputs) =
        quiet(|| plan(onnx, wanted)).unwrap_or_else(|panic| Err(Fault::Load(panic)))?;
    Ok(Session {
        kind: Kind::Tract { plan, threads },
        item: wanted.item,
        outputs,
        batches: threads > 1,
        device: "cpu",
    })
}

/// The plan, and how many numbers it gives, 0 where it does not say.
fn plan(mut onnx: &[u8], wanted: &Wanted) -> Result<(Arc<Plan>, usize), Fault> {
    let load = |error: TractError| Fault::Load(format!("{error:#}"));
    // Shapes inside the graph that name the batch would contradict the fixed one: tract infers them.
    let mut reader = tract_onnx::onnx();
    reader.ignore_value_info = true;
    let proto = reader.proto_model_for_read(&mut onnx).map_err(load)?;
    let Some(graph) = proto.graph.as_ref() else {
        return Err(Fault::Load("it holds no graph".into()));
    };
    let outputs: Vec<&str> = graph.output.iter().map(|value| value.name.as_str()).collect();
    let chosen: Vec<usize> = if wanted.outputs.is_empty() {
        vec![index_of(&outputs, None, "output")?]
    } else {
        let named = |name: &&str| index_of(&outputs, Some(name), "output");
        wanted.outputs.iter().map(named).collect::<Result<_, _>>()?
    };
    let parsed = reader.parse(&proto, None).map_err(load)?;
    if let Some(missing) = parsed.unresolved_inputs.first() {
        return Err(Fault::Load(format!("its value {missing:?} comes from nowhere")));
    }
    let mut model = parsed.model;
    let inputs: Vec<String> = model
        .input_outlets()
        .map_err(load)?
        .iter()
        .map(|outlet| model.node(outlet.node).name.clone())
        .collect();
    let names: Vec<&str> = inputs.iter().map(String::as_str).collect();
    index_of(&names, wanted.input, "input")?;
    if names.len() > 1 {
        return Err(Fault::Shape(format!("it has {} inputs ({})", names.len(), names.join(", "))));
    }
    let fact = model.input_fact(0).map_err(load)?;
    if fact.datum_type.concretize().is_some_and(|kind| kind != f32::datum_type()) {
        return Err(Fault::Shape("its input is not a float32 tensor".into()));
    }
    if !fact.shape.is_open() {
        let shape: Vec<Option<usize>> = fact
            .shape
            .dims()
            .map(|dim| {
                dim.concretize()
                    .and_then(|dim| dim.to_i64().ok())
                    .and_then(|dim| usize::try_from(dim).ok())
            })
            .collect();
        check_shape(&shape, wanted.item)?;
    }
    let [a, b, c] = wanted.item;
    model.set_input_fact(0, f32::fact([1, a, b, c]).into()).map_err(load)?;
    let all = model.output_outlets().map_err(load)?.to_vec();
    let outlets: Vec<_> = chosen.iter().map(|index| all[*index]).collect();
    model.select_output_outlets(&outlets).map_err(load)?;
    let model = model.into_optimized().map_err(load)?;
    let numbers = |index| {
        let fact = model.output_fact(index).ok()?;
        let floats = fact.datum_type == f32::datum_type();
        fact.shape.as_concrete().filter(|_| floats).map(|sides| sides.iter().product::<usize>())
    };
    let numbers: Option<usize> = (0..outlets.len()).map(numbers).sum();
    let plan = model.into_runnable().map_err(load)?;
    Ok((plan, numbers.unwrap_or(0)))
}

fn run_tract(
    plan: &Arc<Plan>,
    threads: usize,
    items: &[&[f32]],
    item: [usize; 3],
) -> Result<Vec<f32>, Fault> {
    if threads < 2 || items.len() < 2 {
        return run_tract_each(plan, items, item);
    }
    let share = items.len().div_ceil(threads);
    let parts: Vec<Result<Vec<f32>, Fault>> = std::thread::scope(|scope| {
        let workers: Vec<_> = items
            .chunks(share)
            .map(|part| scope.spawn(move || run_tract_each(plan, part, item)))
            .collect();
        workers
            .into_iter()
            .map(|worker| {
                worker.join().unwrap_or_else(|_| Err(Fault::Run("a thread gave up".into())))
            })
            .collect()
    });
    let mut rows = Vec::new();
    for part in parts {
        rows.extend(part?);
    }
    Ok(rows)
}

fn run_tract_each(plan: &Arc<Plan>, items: &[&[f32]], item: [usize; 3]) -> Result<Vec<f32>, Fault> {
    let fault = |error: TractError| Fault::Run(format!("{error:#}"));
    let mut rows = Vec::new();
    for values in items {
        let input = Tensor::from_shape(&[1, item[0], item[1], item[2]], values).map_err(fault)?;
        let results = quiet(|| plan.run(tvec![input.into()]).map_err(fault))
            .unwrap_or_else(|panic| Err(Fault::Run(panic)))?;
        for result in &results {
            let view = result.try_as_plain_ram().map_err(not_floats)?;
            rows.extend_from_slice(view.as_slice::<f32>().map_err(not_floats)?);
        }
    }
    Ok(rows)
}

fn not_floats(error: TractError) -> Fault {
    Fault::Shape(format!("its output is not a float32 tensor ({error})"))
}

/// The names of a graph's outputs; none when it cannot be read.
pub(crate) fn output_names(mut onnx: &[u8]) -> Vec<String> {
    let read = || tract_onnx::onnx().proto_model_for_read(&mut onnx).ok();
    let graph = quiet(read).ok().flatten().and_then(|proto| proto.graph);
    graph
        .map(|graph| graph.output.into_iter().map(|value| value.name).collect())
        .unwrap_or_default()
}

/// tract asserts in places where a strange model should give an error; the process must live.
fn quiet<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        text.unwrap_or_else(|| "the engine gave up".into())
    })
}
