//! The word cloud: counting words, and placing them inside a shape.
