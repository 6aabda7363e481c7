use std::net::SocketAddr;

use crate::{demo, exit::Outcome, output::Output};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// End when the container is ready, in place of running on.
    #[arg(long)]
    exit: bool,
    /// Where the API answers; a free port when 8080 is taken and you don't say.
    #[arg(long)]
    port: Option<u16>,
    /// Run no script, where this machine can't keep the simulated containers apart from itself.
    #[arg(long)]
    dry_shell: bool,
}

pub(crate) async fn run(args: Args, out: Output) -> Outcome {
    let listen = SocketAddr::from(([127, 0, 0, 1], args.port.unwrap_or_else(free_if_taken)));
    demo::run(demo::Wish { listen, exit: args.exit, dry_shell: args.dry_shell }, out).await
}

fn free_if_taken() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 8080)).map_or(0, |_| 8080)
}
