use platform::bootstrap;
use serde_json::json;

use crate::{
    exit::{Exit, Outcome},
    output::Output,
    settings::{self, From},
};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Token {
    /// Makes a token of the installation, for scripts; it may do everything, and the one before is good no more.
    New,
}

impl Token {
    pub(crate) async fn run(self, from: &From, out: Output) -> Outcome {
        let Self::New = self;
        let token = bootstrap::replace(&settings::present(&from.of_a_tool()?).await?).await?;
        out.answer(&json!({ "token": token }), || {
            format!("{token}\nIt is valid once the API was started again; the one before is not any more then.")
        });
        Ok(Exit::Done)
    }
}
