//! The template's files, from the version that the container has to another.

use std::collections::BTreeMap;

use domain::container::Guest as Place;
use domain::operation::{Command, Failure};
use domain::progress::LogStream;
use domain::template::{FileChange, FileUpdate, Seen, Take, Template, file_updates, paths_to_compare};
use futures_util::future::BoxFuture;
use proxmox::shell::{Command as InGuest, Guest};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::deploy_files::{deploy, share};
use super::power;
use crate::context::Context;
use crate::guest::{LOOK, guest_failure};
use crate::hosts::Host;
use crate::step::{Done, Step, StepError};

pub(super) struct CompareFiles;
pub(super) struct UpdateFiles;

/// What Gantry wrote is forgotten with the file.
const REMOVE: &str = r#"
rm -f "$1" "/var/lib/gantry/files/$(printf %s "$1" | sha256sum | cut -c1-32)"
"#;

impl Step for CompareFiles {
    /// Before anything is changed: whether it can be done at all.
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let (host, place) = (context.host().await?, context.place().await?);
            running(&host, place).await?;
            answered(context).await?;
            let updates = updates(context).await?;
            refuse_conflicts(&updates)?;
            Done::with(&updates)
        })
    }
}

impl Step for UpdateFiles {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            // Looked at again: it may be another try, and the container was somebody's meanwhile.
            let updates = updates(context).await?;
            refuse_conflicts(&updates)?;
            let Some(new) = context.template().await? else { return Ok(Done::nothing()) };
            let guest = context.guest().await?;
            for (index, update) in updates.iter().enumerate() {
                context.stop_if_cancelled()?;
                apply(&guest, &new, update).await?;
                context.tell(share(index + 1, updates.len()), update.to_string()).await;
                context.line("files", LogStream::Stdout, update.to_string(), None).await;
            }
            Done::with(&updates)
        })
    }
}

async fn apply(guest: &Guest, new: &Template, update: &FileUpdate) -> Result<(), StepError> {
    let policy = match update.what {
        FileChange::Created | FileChange::Replaced | FileChange::Confirmed => "replace",
        FileChange::BackedUp => "backup",
        FileChange::Removed => {
            let remove = InGuest::new("sh").args(["-c", REMOVE, "sh", &update.path]);
            let output = guest.output(remove).await.map_err(guest_failure)?;
            return if output.code == 0 { Ok(()) } else { Err(StepError::internal(output.said())) };
        }
        FileChange::Kept | FileChange::Conflict => return Ok(()),
    };
    match new.files.iter().find(|file| file.target() == update.path) {
        Some(file) => deploy(guest, file, policy).await.map(drop),
        None => Ok(()),
    }
}

/// # Errors
/// When it does not run: nobody can look into it then.
pub(crate) async fn running(host: &Host, place: &Place) -> Result<(), StepError> {
    power::running(host, place, "its template can only be applied while it runs; start it first").await
}

/// Every question of the new version has an answer.
async fn answered(context: &Context) -> Result<(), StepError> {
    let Some(new) = context.template().await? else { return Ok(()) };
    let env = context.script_env().await?;
    let missing: Vec<&str> = new.settings.inputs.iter().map(|input| input.name.as_str()).collect();
    let missing: Vec<&str> = missing.into_iter().filter(|name| !env.iter().any(|(known, _)| known == name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "the new version asks for {}, which nobody has answered; answer it with the update, or give the question a default",
        missing.join(", ")
    );
    Err(StepError::last(Failure::new("answer-missing", "A question of the template has no answer", detail)))
}

async fn updates(context: &Context) -> Result<Vec<FileUpdate>, StepError> {
    let (Some(Command::UpdateContainer { from, take, .. }), Some(new)) =
        (context.operation.accepted().map(|accepted| &accepted.command), context.template().await?)
    else {
        return Err(StepError::internal("the command names no version"));
    };
    let old = context.tools.version(from).await?;
    compare(&context.guest().await?, &old, &new, take).await
}

/// What the update does to each file, as the guest is now.
pub(crate) async fn compare(
    guest: &Guest,
    old: &Template,
    new: &Template,
    take: &Take,
) -> Result<Vec<FileUpdate>, StepError> {
    let paths = paths_to_compare(old, new);
    let look = InGuest::new("sh").args(["-c", LOOK, "sh"]).args(paths.iter().map(String::as_str));
    let output = guest.output(look).await.map_err(guest_failure)?;
    let text = output.text();
    let lines: Vec<_> = text.lines().filter_map(|line| line.split_once(' ')).collect();
    if output.code != 0 || lines.len() != paths.len() {
        return Err(StepError::internal(output.said()));
    }
    let some = |digest: &str| (digest != "-").then(|| digest.to_owned());
    let seen: BTreeMap<String, Seen> = paths
        .into_iter()
        .zip(lines)
        .map(|(path, (recorded, current))| (path, Seen { recorded: some(recorded), current: some(current) }))
        .collect();
    Ok(file_updates(old, new, &seen, take, |content| hex::encode(Sha256::digest(content))))
}

fn refuse_conflicts(updates: &[FileUpdate]) -> Result<(), StepError> {
    let conflicts = updates.iter().filter(|update| update.what == FileChange::Conflict);
    let told: Vec<String> = conflicts
        .map(|update| format!("{} ({})", update.path, update.because.as_deref().unwrap_or_default()))
        .collect();
    if told.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "{}; say for each which one stays: theirs, the template's, or ours, the container's. Nothing was changed",
        told.join("; ")
    );
    Err(StepError::last(Failure::new("update-conflicts", "Files were changed on both sides", detail)))
}
