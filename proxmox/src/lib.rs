//! Talking to Proxmox VE.
//!
//! [`Client`] is a host's HTTP API with one method for each call that Gantry makes; [`shell`] is its SSH side.
//! Lenient in what is read, exact in what is sent; an [`Error`] is classified once and keeps Proxmox's words.

mod access;
mod call;
mod classify;
mod client;
mod cluster;
mod console;
pub mod doctor;
mod endpoint;
mod error;
mod fingerprint;
mod history;
mod lenient;
mod lxc;
mod metrics;
mod node;
mod pace;
mod pool;
mod qemu;
mod session;
pub mod shell;
mod storage;
mod task;
mod tls;
mod upid;
mod vzdump;
mod wait;

pub use access::{NewToken, Permissions};
pub use client::Client;
pub use cluster::{Member, Resource, Version};
pub use console::{Console, ConsoleTicket, MAX_FRAME, Screen};
pub use endpoint::{Address, Auth, Endpoint, Limits};
pub use error::{Denied, Error, Lock, Outcome, Result, Retry, Said, State, Thing};
pub use fingerprint::{Fingerprint, NotAFingerprint};
pub use lxc::{
    Clone as LxcClone, Config as LxcConfig, ConfigChange as LxcChange, Create as LxcCreate, Delete as LxcDelete,
    Feature, Interface, IpAddress, Lxc, Pending, Restore, Snapshot, Status as LxcStatus,
};
pub use metrics::{Sample, Timeframe};
pub use node::{Node, NodeStatus, NodeTime};
pub use pool::Pool;
pub use qemu::{Config as QemuConfig, Qemu, Status as QemuStatus};
pub use storage::{Content, Download, Storage, Template};
pub use task::{LogLine, Task, TaskList, TaskStatus};
pub use tls::{Certificate, CertificateChanged, LearnError, learn_fingerprint};
pub use upid::{NotAUpid, Upid};
pub use vzdump::{Backup, Compress, Mode};
pub use wait::{Finished, Waiting};
