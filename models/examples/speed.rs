//! Pictures a second from JPEG bytes to labels, on one thread and on two steps side by side.
//!
//!     cargo run --release -p potluck-models --example speed -- THREADS PICTURE..
//!
//! `convert/speed.py` is the same loop in Python (Pillow, onnxruntime) to compare with. One JSON line each.

use std::sync::Arc;
use std::time::Instant;

use potluck_models::{
    Batcher, Catalogue, Classifier, DEFAULT_MODEL, Engine, EngineConfig, decode, samples,
};

const SECONDS: f64 = 4.0;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let threads = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let mut files: Vec<Vec<u8>> = arguments.map(std::fs::read).collect::<Result<_, _>>()?;
    if files.is_empty() {
        files = samples().iter().map(|sample| sample.bytes.to_vec()).collect();
    }
    let engine = Engine::start(&EngineConfig { threads, ..EngineConfig::default() })?;
    let catalogue = Catalogue::open(None)?;
    let classifier = Arc::new(Classifier::load(&engine, &catalogue, DEFAULT_MODEL)?);
    let name = engine.info().engine.clone();

    let mut spent = [0.0f64; 3];
    let (start, mut done) = (Instant::now(), 0u32);
    while start.elapsed().as_secs_f64() < SECONDS {
        for file in &files {
            let zero = Instant::now();
            let picture = decode(file)?;
            let one = Instant::now();
            let prepared = classifier.prepare(&picture)?;
            let two = Instant::now();
            classifier.classify(&[prepared], 5)?;
            spent[0] += (one - zero).as_secs_f64();
            spent[1] += (two - one).as_secs_f64();
            spent[2] += two.elapsed().as_secs_f64();
            done += 1;
        }
    }
    let serial = f64::from(done) / start.elapsed().as_secs_f64();
    let [decoded, prepared, run] = spent.map(|seconds| seconds * 1000.0 / f64::from(done));
    println!(
        r#"{{"loop":"serial","engine":"{name}","threads":{threads},"per_second":{serial:.1},"decode_ms":{decoded:.2},"prepare_ms":{prepared:.2},"run_ms":{run:.2}}}"#
    );

    let batcher = Batcher::new(Arc::clone(&classifier), classifier.best_batch(8))?;
    let (start, mut done) = (Instant::now(), 0u32);
    let mut waiting = std::collections::VecDeque::new();
    while start.elapsed().as_secs_f64() < SECONDS {
        for file in &files {
            let prepared = classifier.prepare(&decode(file)?)?;
            waiting.push_back(batcher.submit(prepared, 5)?);
            if waiting.len() > 4
                && let Some(first) = waiting.pop_front()
            {
                first.recv()??;
                done += 1;
            }
        }
    }
    let piped = f64::from(done) / start.elapsed().as_secs_f64();
    println!(
        r#"{{"loop":"pipelined","engine":"{name}","threads":{threads},"per_second":{piped:.1},"max_batch":{}}}"#,
        batcher.max_batch()
    );
    Ok(())
}
