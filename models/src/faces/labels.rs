//! x
pub(crate) fn nothing() {}
