//! What the template says shows that it works has to hold before the container is called ready.

use std::time::Duration;

use domain::operation::Failure;
use domain::template::Health;
use futures_util::future::BoxFuture;
use proxmox::shell::Command;
use serde_json::{Value, json};

use crate::context::Context;
use crate::guest::{HEALTH, guest_failure};
use crate::step::{Done, Step, StepError};

pub(super) struct CheckHealth;

impl Step for CheckHealth {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let Some(health) = context.template().await?.and_then(|template| template.settings.health.clone()) else {
                return Ok(Done::nothing());
            };
            let within = context.tools.settings.healthy_within;
            let (kind, port, path) = match &health {
                Health::Http { port, path } => ("http", port.to_string(), path.as_str()),
                Health::Tcp { port } => ("tcp", port.to_string(), ""),
            };
            let arguments = ["-c", HEALTH, "sh", &within.as_secs().to_string(), kind, &port, path];
            // Each try in it may take some seconds more.
            let command = Command::new("sh").args(arguments).limit(within + Duration::from_secs(60));
            let guest = context.guest().await?;
            let output = context.unless_cancelled(guest.output(command)).await?.map_err(guest_failure)?;
            let asked = format!("{kind}://:{port}{path}");
            if output.code == 0 {
                return Done::with(&json!({ "asked": asked }));
            }
            let detail = format!(
                "{asked} failed for {} s; the last try said: {}",
                within.as_secs(),
                output.text().lines().collect::<Vec<_>>().join("; ")
            );
            Err(StepError::last(Failure::new("unhealthy", "Its health check fails", detail)))
        })
    }
}
