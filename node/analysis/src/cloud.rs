//! The word cloud: counting words, and placing them inside a shape.

mod chinese;
mod phrases;
mod pieces;
mod tally;
mod words;

pub use words::WordCounter;
