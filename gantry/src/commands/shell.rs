//! What a shell and `man` want to know of this program.

use clap::CommandFactory as _;

use super::Gantry;
use crate::{
    exit::{Exit, Outcome},
    output::Output,
};

/// Prints the completions for a shell: `source <(gantry completions bash)`.
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    shell: clap_complete::Shell,
}

impl Completions {
    pub(crate) fn run(&self, out: Output) -> Outcome {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Gantry::command(), "gantry", &mut text);
        out.text(&String::from_utf8_lossy(&text));
        Ok(Exit::Done)
    }
}

/// The manual page: all of it, or that of one command (`gantry manual api-keys issue | man -l -`).
#[derive(Debug, clap::Args)]
pub(crate) struct Manual {
    command: Vec<String>,
}

impl Manual {
    pub(crate) fn run(&self, out: Output) -> Outcome {
        let mut whole = Gantry::command();
        whole.build();
        let mut command = &whole;
        for name in &self.command {
            command = command.find_subcommand(name).ok_or_else(|| {
                crate::exit::Failure::new(Exit::Usage, format!("there is no command {name}"))
                    .next("`gantry --help` lists them")
            })?;
        }
        let mut text = Vec::new();
        clap_mangen::Man::new(command.clone()).render(&mut text)?;
        out.text(&String::from_utf8_lossy(&text));
        Ok(Exit::Done)
    }
}
