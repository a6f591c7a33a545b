//! The word cloud from outside: what is counted, and what is drawn.

#[path = "cloud/drawing.rs"]
mod drawing;
#[path = "cloud/words.rs"]
mod words;
