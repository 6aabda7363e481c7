//! The model as `pct` and the SSH servers of its nodes ask for it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::guest::pct::{Act, Container, Model};
use crate::guest::ssh::Door;
use crate::model::access::Who;
use crate::model::guest::{Guest, Kind};
use crate::model::world::World;
use crate::tasks::power::{self, Manner};

/// The cluster behind `pct` on its nodes.
pub(crate) struct Behind(pub(crate) Arc<World>);

impl Model for Behind {
    fn containers(&self, node: &str) -> Vec<Container> {
        let state = self.0.state();
        let here = state.guests.values().filter(|guest| guest.kind == Kind::Lxc && guest.node == node);
        here.map(|guest| Container {
            vmid: guest.vmid,
            name: guest.name(),
            running: guest.running(),
            lock: guest.lock().map(str::to_owned),
        })
        .collect()
    }

    fn config(&self, node: &str, vmid: u32) -> Option<Vec<(String, String)>> {
        let state = self.0.state();
        state.guests.get(&vmid).filter(|guest| guest.node == node && guest.kind == Kind::Lxc).map(Guest::lines)
    }

    fn act<'a>(
        &'a self,
        node: &'a str,
        vmid: u32,
        act: Act,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(self.0.pct(node, vmid, act))
    }
}

impl World {
    /// What `pct` does: the same tasks as the API's, waited for.
    async fn pct(self: &Arc<Self>, node: &str, vmid: u32, act: Act) -> Result<(), String> {
        let known = self
            .state()
            .guests
            .get(&vmid)
            .filter(|guest| guest.node == node && guest.kind == Kind::Lxc)
            .map(Guest::running);
        let Some(running) = known else { return Err(Kind::Lxc.missing(node, vmid)) };
        let who = Who { user: "root@pam".to_owned(), token: None };
        let id = vmid.to_string();
        let manner = Manner { timeout: Duration::from_secs(60), force: false };
        match act {
            Act::Start if running => return Err(format!("CT {vmid} already running")),
            Act::Stop | Act::Shutdown if !running => return Err(format!("CT {vmid} not running")),
            Act::Reboot if !running => return Err(format!("VM {vmid} not running")),
            _ => {}
        }
        let upid = match act {
            Act::Start => self.task(&who, node, "vzstart", &id, None, move |run| power::start(run, Kind::Lxc, vmid)),
            Act::Stop => self.task(&who, node, "vzstop", &id, None, move |run| power::stop(run, Kind::Lxc, vmid)),
            Act::Shutdown => {
                self.task(&who, node, "vzshutdown", &id, None, move |run| power::shutdown(run, Kind::Lxc, vmid, manner))
            }
            Act::Reboot => {
                self.task(&who, node, "vzreboot", &id, None, move |run| power::reboot(run, Kind::Lxc, vmid, manner))
            }
            Act::Unlock => {
                self.unlock(vmid);
                return Ok(());
            }
        };
        self.ended(&upid).await;
        let exit = self.state().tasks.iter().rev().find(|task| task.upid == upid).and_then(|task| task.exit.clone());
        match exit.as_deref() {
            Some("OK") | None => Ok(()),
            Some(error) => Err(error.to_owned()),
        }
    }
}

/// Who may log in to a node by SSH: root, with its password or an allowed key.
pub(crate) struct Gate {
    pub(crate) world: Arc<World>,
    pub(crate) node: String,
}

impl Door for Gate {
    fn password(&self, user: &str, password: &str) -> bool {
        let state = self.world.state();
        user == "root" && state.access.users.get("root@pam").and_then(|root| root.password.as_deref()) == Some(password)
    }

    fn key(&self, user: &str, key: &str) -> bool {
        let body = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        user == "root" && self.world.options.ssh_keys.iter().any(|allowed| body(allowed) == body(key))
    }

    fn drop_after(&self, command: &str) -> Option<Duration> {
        // `pct exec 101 -- …` is about a guest; rules may be too. Its words may be quoted.
        let mut words = command.split_whitespace().map(|word| word.trim_matches(['\'', '"']));
        let vmid = words.find(|word| *word == "pct").and_then(|_| words.nth(1)).and_then(|word| word.parse().ok());
        self.world.faults.ssh_drop(&self.node, vmid)
    }

    fn is_up(&self) -> bool {
        self.world.state().nodes.get(&self.node).is_some_and(|node| node.online)
    }
}
