//! The report: one page that needs no script and no network.
