//! Talking to Proxmox VE.

pub mod shell;
