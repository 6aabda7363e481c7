//! Prints docs/configuration.md.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(platform::config::reference().as_bytes())
}
