//! `gantry`: the command that people run. The only place that wires the API and the worker together.

mod client;
mod commands;
mod demo;
mod exit;
mod output;
mod process;
mod settings;
mod signals;
mod stage;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = match commands::Gantry::try_parse() {
        Ok(arguments) => arguments,
        Err(told) => return output::usage(&told),
    };
    // One TLS provider for all that speaks HTTPS; a second call would only say that it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let out = output::Output::new(arguments.json, arguments.no_color);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return out.failure(&exit::Failure::from(error)).into(),
    };
    let exit = runtime.block_on(arguments.run(&out)).unwrap_or_else(|failure| out.failure(&failure));
    // What still blocks (a read from the terminal) must not keep an ended command from ending.
    runtime.shutdown_background();
    exit.into()
}
