//! The ports that the template declares have to listen before the container is called ready.

use std::time::Duration;

use domain::operation::{Failure, FailureKind};
use futures_util::future::BoxFuture;
use proxmox::shell::Command;
use serde_json::Value;

use crate::context::Context;
use crate::guest::guest_failure;
use crate::step::{Done, Step, StepError};

/// Waits in the guest until each of its arguments (`tcp:80`) listens; prints those that do not.
const AWAIT: &str = r#"
left=$1; shift
listens() {
    if command -v ss >/dev/null 2>&1; then ss -Hln"$(printf %.1s "$1")" 2>/dev/null
    else netstat -ln"$(printf %.1s "$1")" 2>/dev/null; fi |
        awk -v port=":$2" '{ for (i = 1; i <= NF; i++) if (substr($i, length($i) - length(port) + 1) == port) found = 1 } END { exit !found }'
}
while :; do
    missing=''
    for port; do listens "${port%:*}" "${port#*:}" || missing="$missing $port"; done
    [ -n "$missing" ] || exit 0
    left=$((left - 1)); [ "$left" -gt 0 ] || { echo "$missing"; exit 75; }
    sleep 1
done
"#;

pub(super) struct VerifyPorts;

impl Step for VerifyPorts {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let ports = context.template().await?.map(|template| template.settings.ports.clone()).unwrap_or_default();
            if ports.is_empty() {
                return Ok(Done::nothing());
            }
            let wanted = ports.iter().map(|p| format!("{}:{}", if p.udp { "udp" } else { "tcp" }, p.port));
            let within = context.tools.settings.healthy_within;
            let command = Command::new("sh").args(["-c", AWAIT, "sh", &within.as_secs().to_string()]).args(wanted);
            let guest = context.guest().await?;
            let output = context
                .unless_cancelled(guest.output(command.limit(within + Duration::from_secs(30))))
                .await?
                .map_err(guest_failure)?;
            if output.code == 0 {
                return Ok(Done::nothing());
            }
            let detail = format!("nothing listens on{}; the scripts' lines may tell why", output.text().trim_end());
            let failure = Failure::new("port-silent", "A declared port does not answer", detail);
            Err(StepError::new(FailureKind::Final, failure))
        })
    }
}
