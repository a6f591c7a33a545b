//! Runs the pictures that wait together: one thread takes what the queue holds, up to a limit, and never waits
//! for more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::JoinHandle;

use crate::catalogue::ModelError;
use crate::classify::{Classifier, Label, Prepared};

/// Labels of one picture, best first.
pub type Answer = Result<Vec<Label>, ModelError>;

/// Why a picture was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The worker thread is gone.
    #[error("the recognition has stopped; start the node again")]
    Stopped,
    /// No thread could be started.
    #[error("no thread could be started for the recognition: {0}")]
    NoThread(String),
}

/// A queue in front of a [`Classifier`]. Dropping it finishes what waits and ends its thread.
#[derive(Debug)]
pub struct Batcher {
    queue: Option<SyncSender<Job>>,
    worker: Option<JoinHandle<()>>,
    max_batch: Arc<AtomicUsize>,
    /// Whether the model can run several pictures together.
    batches: bool,
}

struct Job {
    picture: Prepared,
    top: usize,
    answer: SyncSender<Answer>,
}

/// Pictures that may wait; further submitters block.
const WAITING: usize = 32;

impl Batcher {
    /// Starts the thread. `size` is the most pictures that run together; 1 where the model's batch dimension is
    /// fixed.
    ///
    /// # Errors
    /// [`BatchError::NoThread`].
    pub fn new(classifier: Arc<Classifier>, size: usize) -> Result<Batcher, BatchError> {
        let (queue, jobs) = mpsc::sync_channel(WAITING);
        let batches = classifier.batches();
        let most = Arc::new(AtomicUsize::new(1));
        let max_batch = most.clone();
        let worker = std::thread::Builder::new()
            .name("recognize".into())
            .spawn(move || work(&classifier, &jobs, &most))
            .map_err(|error| BatchError::NoThread(error.to_string()))?;
        let batcher = Batcher { queue: Some(queue), worker: Some(worker), max_batch, batches };
        batcher.set_max_batch(size);
        Ok(batcher)
    }

    /// The most pictures that run together.
    pub fn max_batch(&self) -> usize {
        self.max_batch.load(Ordering::Relaxed)
    }

    /// Changes it, from the next batch on.
    pub fn set_max_batch(&self, max_batch: usize) {
        let size = if self.batches { max_batch.max(1) } else { 1 };
        self.max_batch.store(size, Ordering::Relaxed);
    }

    /// Queues a picture and returns where its `top` best labels will arrive. Blocks while the queue is full.
    ///
    /// # Errors
    /// [`BatchError::Stopped`].
    pub fn submit(&self, picture: Prepared, top: usize) -> Result<Receiver<Answer>, BatchError> {
        let (answer, receiver) = mpsc::sync_channel(1);
        let job = Job { picture, top, answer };
        self.queue
            .as_ref()
            .ok_or(BatchError::Stopped)?
            .send(job)
            .map_err(|_| BatchError::Stopped)?;
        Ok(receiver)
    }
}

impl Drop for Batcher {
    fn drop(&mut self) {
        // Closing the queue ends the worker's loop.
        self.queue = None;
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

fn work(classifier: &Classifier, jobs: &Receiver<Job>, max_batch: &AtomicUsize) {
    while let Ok(first) = jobs.recv() {
        let mut batch = vec![first];
        while batch.len() < max_batch.load(Ordering::Relaxed)
            && let Ok(next) = jobs.try_recv()
        {
            batch.push(next);
        }
        answer(classifier, batch);
    }
}

fn answer(classifier: &Classifier, batch: Vec<Job>) {
    let top = batch.iter().map(|job| job.top).max().unwrap_or(0);
    let (pictures, askers): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|job| (job.picture, (job.top, job.answer))).unzip();
    // A failed send means that the asker went away, which is nobody's error.
    match classifier.classify(&pictures, top) {
        Ok(answers) => {
            for ((top, asker), mut labels) in askers.into_iter().zip(answers) {
                labels.truncate(top);
                let _ = asker.send(Ok(labels));
            }
        }
        Err(error) => {
            for (_, asker) in askers {
                let _ = asker.send(Err(error.clone()));
            }
        }
    }
}
