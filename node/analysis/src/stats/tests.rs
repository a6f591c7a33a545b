//! Numbers against pandas, and what must hold for every table.

mod drawn;
mod edges;
mod laws;
mod speed;
mod tables;
