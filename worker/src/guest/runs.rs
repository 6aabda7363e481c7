//! Scripts in a guest, each run to its end once, watched line by line, by whichever worker is alive.

use std::time::Duration;

use domain::OperationId;
use domain::operation::{Failure, FailureKind};
use domain::progress::{LogStream, NextLine};
use proxmox::shell::{End, Followed, GuestError, RunId, Script, Secret, Stream};

use super::{GuestScript, digest};
use crate::context::Context;
use crate::step::StepError;

/// Runs them in order. `run` tells one try from the next: the same try is never begun twice in the guest, a new one
/// leaves out what ended well before.
pub(crate) async fn run_all(context: &Context, what: &str, run: u32, scripts: &[GuestScript]) -> Result<(), StepError> {
    let secrets = context.script_env().await?;
    let mut ended = None;
    for (index, script) in scripts.iter().enumerate() {
        let id = format!("{}-{what}{index}-{run}", context.id.uuid().simple());
        let id: RunId = id.parse().map_err(StepError::internal)?;
        if run > 1 {
            stop_before(context, what, index, run - 1).await?;
        }
        #[expect(clippy::cast_precision_loss, reason = "a share of the work, for the eye")]
        let share = index as f64 / scripts.len() as f64;
        context.tell(share, format!("{} ({} of {})", script.name, index + 1, scripts.len())).await;
        // What the one before left behind goes while this one runs.
        let (ran, forgot) = tokio::join!(one(context, &id, script, &secrets), forget(context, ended.take()));
        ran.and(forgot)?;
        ended = Some(id);
    }
    forget(context, ended).await
}

async fn forget(context: &Context, ended: Option<RunId>) -> Result<(), StepError> {
    let Some(run) = ended else { return Ok(()) };
    context.guest().await?.detached().forget(&run).await.map_err(guest_failure)
}

/// The try before this one may have been given up while its script ran on.
async fn stop_before(context: &Context, what: &str, index: usize, run: u32) -> Result<(), StepError> {
    let id = format!("{}-{what}{index}-{run}", context.id.uuid().simple());
    match context.guest().await?.detached().stop(&id.parse().map_err(StepError::internal)?).await {
        Ok(()) | Err(GuestError::RunGone { .. } | GuestError::RunDied { .. }) => Ok(()),
        Err(error) => Err(guest_failure(error)),
    }
}

/// Whether the failure says that the script has ended, rather than that nobody knows.
pub(crate) fn has_ended(failure: &Failure) -> bool {
    ["script-failed", "script-too-slow", "script-lost", "changed-meanwhile"].contains(&failure.slug.as_str())
}

async fn one(context: &Context, id: &RunId, script: &GuestScript, env: &[(String, Secret)]) -> Result<(), StepError> {
    let detached = context.guest().await?.detached();
    let script_of = Script {
        body: body(context.id, script).into_bytes(),
        env: env.to_vec(),
        limit: Duration::from_secs(script.limit_s.into()),
    };
    let first = detached.launch(id, &script_of).await.map_err(guest_failure)?;
    let offset = if first { 0 } else { context.offset_of(&id.to_string()).await? };
    let mut attached = detached.attach(id, offset);
    let ended = loop {
        let followed = tokio::select! {
            followed = attached.next() => followed.map_err(guest_failure)?,
            () = context.cancel.cancelled() => {
                detached.stop(id).await.map_err(guest_failure)?;
                return Err(StepError::Cancelled);
            }
        };
        match followed {
            Followed::Line(line) => {
                let stream = if line.stream == Stream::Err { LogStream::Stderr } else { LogStream::Stdout };
                context
                    .line(&script.name, stream, line.text, Some(NextLine { run: id.to_string(), offset: line.next }))
                    .await;
            }
            Followed::Ended(ended) => break ended,
        }
    };
    let name = &script.name;
    let failure = match (ended.end, ended.code) {
        (End::Itself, 0) => return Ok(()),
        (End::TimeLimit, _) => Failure::new(
            "script-too-slow",
            "A script took too long",
            format!("{name} was stopped after its {} s; its last lines tell where it was", script.limit_s),
        ),
        (End::Stopped, _) => return Err(StepError::Cancelled),
        (End::Itself, code) => Failure::new(
            "script-failed",
            "A script failed",
            format!("{name} ended with code {code}; its last lines tell why. Mend it and retry"),
        ),
    };
    Err(StepError::last(failure))
}

/// The script behind the library, unless it ended well before: what is done stays done across retries and restarts.
/// One in another language than the shell's is run from a file, without the library.
fn body(operation: OperationId, script: &GuestScript) -> String {
    let first = script.body.lines().next().unwrap_or_default();
    let interpreter = first.strip_prefix("#!").map_or("/bin/sh", str::trim);
    let shell =
        ["sh", "bash", "dash", "ash"].iter().any(|shell| interpreter.split(['/', ' ']).any(|word| word == *shell));
    let hash = &hex::encode(digest(&format!("{}\n{}", script.name, script.body)))[..16];
    let mark = format!("/var/lib/gantry/done/{}-{hash}", operation.uuid().simple());
    let (runs_in, run) = if shell {
        (interpreter, format!("( . /usr/local/lib/gantry/library.sh\n{}\n)", script.body))
    } else {
        let file = format!("/run/gantry-script-{hash}");
        let write = format!("cat >{file} <<'GANTRY_{hash}'\n{}\nGANTRY_{hash}", script.body);
        ("/bin/sh", format!("umask 077\n{write}\n( umask 022; exec {interpreter} {file} )"))
    };
    format!(
        "#!{runs_in}\n\
         [ ! -e {mark} ] || {{ echo '[INFO] ended well before, not run again'; exit 0; }}\n\
         {run}\n\
         gantry_code=$?\n\
         [ $gantry_code -ne 0 ] || {{ mkdir -p /var/lib/gantry/done && : >{mark}; }}\n\
         exit $gantry_code\n"
    )
}

/// What a failure of the way into the guest means for the step.
pub(crate) fn guest_failure(error: GuestError) -> StepError {
    use proxmox::shell::ShellError as S;
    let (kind, slug, title, detail) = match &error {
        GuestError::Unknown { .. } => (
            FailureKind::Final,
            "guest-gone",
            "Its node does not know the container",
            "somebody removed or moved it in Proxmox, or the SSH of the node leads to another machine (`gantry doctor` tells)",
        ),
        GuestError::NotRunning { .. } => (
            FailureKind::Temporary,
            "guest-stopped",
            "The container does not run",
            "it stopped by itself or by somebody's hand",
        ),
        GuestError::Shell(S::HostKeyChanged { .. }) => (
            FailureKind::Final,
            "host-key-changed",
            "The host shows another SSH key",
            "an operator has to check and pin it",
        ),
        GuestError::Shell(S::AuthRefused { .. }) => (
            FailureKind::Final,
            "ssh-refused",
            "The host refuses our SSH login",
            "an operator has to mend the host's SSH settings",
        ),
        GuestError::Shell(S::Unreachable { .. } | S::Interrupted { .. }) => (
            FailureKind::Unreachable,
            "host-away",
            "The host does not answer",
            "it, its SSH service or the way to it is down",
        ),
        GuestError::Local(_) | GuestError::Shell(S::Closed | S::NotACommand(_)) => {
            (FailureKind::Temporary, "internal", "Something went wrong on our side", "the operator's log has the cause")
        }
        GuestError::RunGone { .. } | GuestError::RunDied { .. } => (
            FailureKind::Temporary,
            "script-lost",
            "A script was lost",
            "the container was restarted under it; it is run again",
        ),
        _ => (
            FailureKind::Temporary,
            "guest-command-failed",
            "A command in the container failed",
            "the operator's log has the cause",
        ),
    };
    StepError::new(kind, Failure::new(slug, title, detail).because(error))
}
