//! Numbers: from a table to [`crate::Numbers`] and [`crate::Facets`].
