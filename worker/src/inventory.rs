//! What is in a guest, told line by line: to be compared with what is in it later.

use std::sync::Arc;
use std::time::Duration;

use domain::ContainerId;
use domain::container::Container;
use proxmox::shell::{Command, Stream};

use crate::guest::{INVENTORY, guest_failure};
use crate::step::StepError;
use crate::tools::Tools;

/// # Errors
/// When the container has no guest, or the guest can't be looked into.
pub async fn inventory(tools: &Arc<Tools>, container: ContainerId) -> Result<Vec<String>, StepError> {
    let state = tools.log.load::<Container>(container).await.map_err(StepError::internal)?.state;
    let place = state.guest().ok_or_else(|| StepError::internal("the container has no guest"))?;
    let shell = tools.hosts.get(place.host).await?.shell(&place.node).await?;
    let mut lines = Vec::new();
    let command = Command::new("sh").args(["-c", INVENTORY]).limit(Duration::from_secs(300));
    let guest = shell.guest(place.vmid.get());
    let ended = guest.exec(command, |line| {
        if line.stream == Stream::Out {
            lines.push(line.text);
        }
    });
    let exit = ended.await.map_err(guest_failure)?;
    if exit.code == 0 { Ok(lines) } else { Err(StepError::internal(format!("the look ended with {}", exit.code))) }
}
