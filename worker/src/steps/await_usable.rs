//! A guest that runs is not one that can be worked in: its system may still be starting.

use std::time::Duration;

use domain::operation::{Failure, FailureKind};
use futures_util::future::BoxFuture;
use proxmox::shell::Command;
use serde_json::Value;

use crate::context::Context;
use crate::guest::guest_failure;
use crate::step::{Done, Step, StepError};

/// Waits inside of the guest, in one command: a round trip to a host costs more than a second of waiting.
const WAIT: &str = r#"
left=$1
until [ -d /etc ] && [ -w /tmp ] && [ -w /var ] && [ -w /run ]; do
    left=$((left - 1)); [ "$left" -gt 0 ] || exit 75; sleep 1
done
# systemd says when it is through; "degraded" is through, with something failed that is not ours.
if command -v systemctl >/dev/null 2>&1 && [ -d /run/systemd/system ]; then
    while :; do
        case "$(systemctl is-system-running 2>/dev/null)" in
            initializing | starting | "") ;;
            *) break ;;
        esac
        left=$((left - 1)); [ "$left" -gt 0 ] || exit 75; sleep 1
    done
fi
"#;
const LIMIT_S: u64 = 120;

pub(super) struct AwaitUsable;

impl Step for AwaitUsable {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let command = Command::new("sh").args(["-c", WAIT, "sh", &LIMIT_S.to_string()]);
            let guest = context.guest().await?;
            let output = context
                .unless_cancelled(guest.output(command.limit(Duration::from_secs(LIMIT_S + 30))))
                .await?
                .map_err(guest_failure)?;
            if output.code == 0 {
                return Ok(Done::nothing());
            }
            let detail = "its system is not through with starting after two minutes";
            let failure = Failure::new("guest-not-usable", "The container can't be worked in", detail);
            Err(StepError::new(FailureKind::Temporary, failure.because(output.said())))
        })
    }
}
