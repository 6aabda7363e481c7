//! Commands on a Proxmox host and in its guests, over one SSH connection per host.
//!
//! [`Shell`] is the host, [`Guest`] a container on it (through `pct`), [`Detached`] a script in a guest that outlives
//! the connection. Each host has one thread of its own (`actor`) that owns the ssh2 session: ssh2 serialises a blocking
//! session, so the session is non-blocking and the thread multiplexes every command over it.
//!
//! Two promises hold everywhere: a command whose end was not seen is never a success (`script`, `sentinel`), and no
//! secret stands in an argument, an environment that `ps` shows, a log or an error: secrets go by standard input.

mod actor;
mod command;
mod config;
mod connect;
mod detached;
mod error;
mod follow;
mod handle;
mod hostkey;
mod kill;
mod line;
mod live;
mod mailbox;
mod pct;
mod queue;
mod quote;
mod running;
mod script;
mod secret;
mod sentinel;
mod stdin;
mod transfer;

pub use command::Command;
pub use config::{Auth, ShellConfig};
pub use detached::{Detached, End, Ended, LogLine, NotARunId, RunId, Script};
pub use error::{GuestError, ShellError};
pub use follow::{Attached, Followed};
pub use handle::Shell;
pub use hostkey::{HostKey, NotAHostKey, learn_host_key};
pub use line::{Line, Stream};
pub use pct::Guest;
pub use running::{Exit, Output, Piece, Running};
pub use secret::Secret;
pub use stdin::{Stdin, StdinReader, StdinWriter};
pub use transfer::{Owner, Pulled};
