//! The template's files, each by its policy.

use bytes::Bytes;
use domain::operation::Failure;
use domain::progress::LogStream;
use domain::template::{FilePolicy, TemplateFile};
use futures_util::future::BoxFuture;
use proxmox::shell::{Command, Guest, Owner};
use serde_json::{Value, json};

use crate::context::Context;
use crate::guest::{DEPLOY, guest_failure};
use crate::step::{Done, Step, StepError};

pub(super) struct DeployFiles;

impl Step for DeployFiles {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let Some(template) = context.template().await? else { return Ok(Done::nothing()) };
            let guest = context.guest().await?;
            let mut done = Vec::new();
            for (index, file) in template.files.iter().enumerate() {
                context.stop_if_cancelled()?;
                let outcome = deploy(&guest, file, policy(file)).await?;
                let target = file.target();
                context.tell(share(index + 1, template.files.len()), format!("{target}: {outcome}")).await;
                context.line("files", LogStream::Stdout, format!("{target}: {outcome}"), None).await;
                done.push(json!({ "path": target, "outcome": outcome }));
            }
            Done::with(&done)
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share of the work, for the eye")]
pub(super) fn share(done: usize, of: usize) -> f64 {
    done as f64 / of.max(1) as f64
}

fn policy(file: &TemplateFile) -> &'static str {
    match file.policy {
        FilePolicy::Replace => "replace",
        FilePolicy::Default => "default",
        FilePolicy::Backup => "backup",
    }
}

pub(super) async fn deploy(guest: &Guest, file: &TemplateFile, policy: &str) -> Result<String, StepError> {
    let source = format!("/run/gantry-file-{}", hex::encode(&crate::guest::digest(&file.target())[..8]));
    guest.push_bytes(Bytes::from(file.content.clone()), &source, &Owner::root(0o600)).await.map_err(guest_failure)?;
    // What was pushed is private until it is in place; then it is what the template says, or readable as files are.
    let mode = format!("{:o}", file.mode.unwrap_or(0o644));
    let owner = file.owner.as_deref().unwrap_or_default();
    let command = Command::new("sh").args(["-c", DEPLOY, "sh", &file.target(), policy, &mode, owner, &source]);
    let output = guest.output(command).await.map_err(guest_failure)?;
    if output.code == 0 {
        return Ok(output.text().trim().to_owned());
    }
    let detail = format!("{} could not be put in place: {}", file.target(), output.said());
    Err(StepError::last(Failure::new("file-not-deployed", "A file could not be put in place", detail)))
}
