//! Pictures that run together get the answers that they get alone.

use std::sync::Arc;

use potluck_models::{Batcher, Catalogue, Classifier, DEFAULT_MODEL, Prepared, decode, samples};

use crate::engines;

#[test]
fn batching_equals_single() {
    for engine in engines() {
        let catalogue = Catalogue::open(None).unwrap();
        let classifier = Arc::new(Classifier::load(&engine, &catalogue, DEFAULT_MODEL).unwrap());
        let pictures: Vec<Prepared> = samples()
            .iter()
            .map(|sample| classifier.prepare(&decode(sample.bytes).unwrap()).unwrap())
            .collect();
        let alone: Vec<_> = pictures
            .iter()
            .map(|picture| classifier.classify(std::slice::from_ref(picture), 5).unwrap().remove(0))
            .collect();
        let together = classifier.classify(&pictures, 5).unwrap();
        let batcher = Batcher::new(Arc::clone(&classifier), 4).unwrap();
        // Each asks for another number of labels.
        let waiting: Vec<_> = pictures
            .into_iter()
            .enumerate()
            .map(|(index, picture)| batcher.submit(picture, index).unwrap())
            .collect();
        for (index, receiver) in waiting.into_iter().enumerate() {
            let batched = receiver.recv().unwrap().unwrap();
            assert_eq!(batched.len(), index);
            for (a, b) in alone[index].iter().zip(&batched) {
                assert_eq!(a.index, b.index);
                assert!((a.probability - b.probability).abs() < 1e-4, "{a:?} {b:?}");
            }
            for (a, b) in alone[index].iter().zip(&together[index]) {
                assert_eq!(a.index, b.index);
            }
        }
    }
}

#[test]
fn many_threads_submit_and_dropping_finishes_what_waits() {
    let engine = engines().pop().unwrap();
    let catalogue = Catalogue::open(None).unwrap();
    let classifier = Arc::new(Classifier::load(&engine, &catalogue, DEFAULT_MODEL).unwrap());
    let picture = classifier.prepare(&decode(samples()[1].bytes).unwrap()).unwrap();
    let batcher = Batcher::new(Arc::clone(&classifier), 2).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..3 {
                    let labels =
                        batcher.submit(picture.clone(), 1).unwrap().recv().unwrap().unwrap();
                    assert_eq!(labels[0].label, "espresso");
                }
            });
        }
    });
    let last = batcher.submit(picture.clone(), 1).unwrap();
    let gone = batcher.submit(picture, 1).unwrap();
    drop(gone);
    drop(batcher);
    assert_eq!(last.recv().unwrap().unwrap().len(), 1);
    assert_eq!(Arc::strong_count(&classifier), 1, "the thread has ended");
}
