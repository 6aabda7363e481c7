//! Doing: the engine that drives operations, the steps of every pipeline, sweeps.

pub mod guest;
