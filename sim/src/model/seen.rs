//! What somebody who stands beside the cluster sees of it, without asking its API.

use super::world::World;

/// A guest as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenGuest {
    pub vmid: u32,
    pub node: String,
    pub name: String,
    pub running: bool,
    pub suspended: bool,
    /// Who holds its config: `backup`, `snapshot`, …
    pub lock: Option<String>,
    pub description: String,
    pub cores: Option<u64>,
    pub memory_mb: Option<u64>,
    pub snapshots: Vec<String>,
}

impl World {
    /// All guests, by their ids.
    #[must_use]
    pub fn seen(&self) -> Vec<SeenGuest> {
        let state = self.state();
        let seen = state.guests.values().map(|guest| SeenGuest {
            vmid: guest.vmid,
            node: guest.node.clone(),
            name: guest.name(),
            running: guest.running(),
            suspended: guest.suspended,
            lock: guest.lock().map(str::to_owned),
            description: guest.text("description").unwrap_or_default().to_owned(),
            cores: guest.number("cores"),
            memory_mb: guest.number("memory"),
            snapshots: guest.snapshots.iter().map(|snapshot| snapshot.name.clone()).collect(),
        });
        seen.collect()
    }

    /// The volumes of all backups.
    #[must_use]
    pub fn backups(&self) -> Vec<String> {
        let state = self.state();
        state.volumes.iter().filter(|volume| volume.content == "backup").map(|volume| volume.id.clone()).collect()
    }

    /// Names of tasks that run now.
    #[must_use]
    pub fn tasks_running(&self) -> Vec<String> {
        self.state().tasks.iter().filter(|task| task.exit.is_none()).map(|task| task.upid.clone()).collect()
    }
}
