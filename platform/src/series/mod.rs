//! What is measured and what is reported: rows with a time, in batches, forgotten after a while. No events.

pub mod records;
pub mod samples;
