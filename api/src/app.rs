//! What the API works with.

use std::sync::Arc;

use platform::catalogue::Catalogue;
use platform::coordination::Coordination;
use platform::log::Log;
use platform::queue::Queue;
use platform::vault::Vault;

use crate::access::Access;
use crate::copies::Copies;
use crate::guests::Guests;
use crate::live::LiveStates;
use crate::people::People;
use crate::preview::Foresee;

/// The seams of the API, filled by whoever starts it. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub log: Log,
    /// Bus and locks; `/readyz` asks it whether the other side answers.
    pub coordination: Coordination,
    /// Where operations wait for a worker.
    pub queue: Queue,
    /// How many operations may wait there; more are refused before anything is written.
    pub queue_limit: u64,
    pub vault: Vault,
    pub catalogue: Catalogue,
    pub access: Access,
    /// How people come in.
    pub people: People,
    /// What Proxmox said last; filled by whoever watches the hosts.
    pub live: LiveStates,
    /// Asks Proxmox which copies of a container there are.
    pub copies: Arc<dyn Copies>,
    /// Looks how Proxmox has what is recorded.
    pub guests: Arc<dyn Guests>,
    /// Finds out what would happen; nothing of it is done.
    pub foresee: Foresee,
    /// Renders what `/metrics` answers.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("log", &self.log).finish_non_exhaustive()
    }
}
