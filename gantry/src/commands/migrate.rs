use platform::clock;
use serde_json::json;

use crate::{
    exit::{Exit, Outcome},
    output::Output,
    settings::{self, From},
};

pub(crate) async fn run(from: &From, out: Output) -> Outcome {
    let done = settings::connect(&from.of_a_tool()?).await?.migrate(clock::now()).await?;
    out.answer(&json!({ "schema": done.schema, "applied": done.applied }), || match done.applied.as_slice() {
        [] => format!("The database is at schema {} already.", done.schema),
        applied => format!("The database is at schema {} now: applied {}.", done.schema, applied.join(", ")),
    });
    Ok(Exit::Done)
}
