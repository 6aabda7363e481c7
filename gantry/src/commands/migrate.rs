use platform::clock;
use serde_json::json;

use crate::{
    database::{self, Place},
    exit::{Exit, Outcome},
    output::Output,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(args: &Args, out: Output) -> Outcome {
    let done = database::connect(&args.place).await?.migrate(clock::now()).await?;
    out.answer(&json!({ "schema": done.schema, "applied": done.applied }), || match done.applied.as_slice() {
        [] => format!("The database is at schema {} already.", done.schema),
        applied => format!("The database is at schema {} now: applied {}.", done.schema, applied.join(", ")),
    });
    Ok(Exit::Done)
}
