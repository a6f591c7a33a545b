//! Any bytes become a report whose drawings are XML, or are refused with a sentence.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use potluck_analysis::{
    AnalysisError, Lang, Unwatched,
    job::{self, Options},
    read::{ReadOptions, Source},
};

fuzz_target!(|input: (bool, &[u8])| {
    let (chinese, bytes) = input;
    let options = Options {
        read: ReadOptions { threads: 1, ..ReadOptions::default() },
        lang: if chinese { Lang::Zh } else { Lang::En },
        png: false,
        ..Options::default()
    };
    let source = Source::Stream(Box::new(Cursor::new(bytes.to_vec())));
    match job::analyze(source, &options, &Unwatched) {
        Ok(done) => assert!(done.files().iter().all(|(_, bytes)| !bytes.is_empty())),
        Err(AnalysisError::BadInput(sentence) | AnalysisError::BadOption(sentence)) => {
            assert!(!sentence.is_empty());
        }
        Err(other) => panic!("{other}"),
    }
});
