//! The template's scripts, in the order of their numbers.

use domain::container::Scripts;
use domain::template::Script;
use futures_util::future::BoxFuture;
use proxmox::shell::Command;
use serde_json::Value;

use crate::context::Context;
use crate::guest::{GuestScript, guest_failure, run_all};
use crate::step::{Done, Step, StepError};

/// A script that takes longer hangs, or should be split.
const LIMIT_S: u32 = 3600;

/// The library looks for it.
const CONFIGURED: &str = "/var/lib/gantry/configured";

pub(super) struct RunScripts;

impl Step for RunScripts {
    fn intend<'a>(&'a self, context: &'a Context, before: Option<&'a Value>) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async move { Done::with(&context.next_run(before)) })
    }

    fn act<'a>(&'a self, context: &'a Context, intent: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let Some(template) = context.template().await? else { return Ok(Done::nothing()) };
            let chosen = chosen(&template.scripts, &context.spec().await?.scripts);
            run_all(context, "s", context.run_of(intent)?, &chosen).await?;
            configured(context).await?;
            Done::with(&chosen.iter().map(|script| script.name.as_str()).collect::<Vec<_>>())
        })
    }
}

/// From now on scripts see that it is not their first run.
async fn configured(context: &Context) -> Result<(), StepError> {
    let mark =
        Command::new("sh").args(["-c", "mkdir -p /var/lib/gantry && [ -e \"$1\" ] || : >\"$1\"", "sh", CONFIGURED]);
    let output = context.guest().await?.output(mark).await.map_err(guest_failure)?;
    if output.code == 0 { Ok(()) } else { Err(StepError::internal(output.said())) }
}

fn chosen(scripts: &[Script], wish: &Scripts) -> Vec<GuestScript> {
    let wanted = |script: &&Script| match wish {
        Scripts::All => true,
        Scripts::None => false,
        Scripts::Only(names) => names.contains(&script.name),
    };
    let whole =
        |script: &Script| GuestScript { name: script.name.clone(), body: script.content.clone(), limit_s: LIMIT_S };
    scripts.iter().filter(wanted).map(whole).collect()
}
