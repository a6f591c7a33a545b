//! Reading: from bytes in any encoding to a typed [`crate::Table`].
