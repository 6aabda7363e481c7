//! placeholder
pub mod guest;
