use std::future::Future;
use std::sync::Arc;

use serde_json::Value;

use crate::faults::TaskFault;
use crate::model::access::Who;
use crate::model::guest::{Guest, Kind};
use crate::model::run::Run;
use crate::model::world::World;
use crate::refusal::Refusal;
use crate::schema::Given;

/// A call that has been let through: who asks what of which node.
pub(super) struct Asked {
    pub(super) world: Arc<World>,
    pub(super) who: Who,
    /// The node in the path, or the one that answers.
    pub(super) node: String,
    pub(super) params: Given,
    pub(super) fault: Option<TaskFault>,
}

impl Asked {
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.params.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Bool(truth) => Some(u8::from(*truth).to_string()),
            Value::Null => None,
            Value::Array(all) => Some(all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")),
            other => Some(other.to_string()),
        }
    }

    /// A parameter that the schema's check has made sure of.
    pub(super) fn need(&self, name: &str) -> String {
        self.text(name).unwrap_or_default()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.text(name).as_deref() == Some("1")
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    pub(super) fn list(&self, name: &str) -> Vec<String> {
        self.text(name)
            .unwrap_or_default()
            .split([',', ';', ' ', '\0'])
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    }

    pub(super) fn vmid(&self) -> u32 {
        self.text("vmid").and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    /// Reads a guest on the asked node, or fails as a call does when it is not there.
    pub(super) fn guest<T>(
        &self,
        kind: Kind,
        vmid: u32,
        look: impl FnOnce(&Guest) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let state = self.world.state();
        match state.guests.get(&vmid).filter(|guest| guest.kind == kind && guest.node == self.node) {
            Some(guest) => look(guest),
            None => Err(Refusal::died(kind.missing(&self.node, vmid))),
        }
    }

    /// Whether a guest runs; an unknown one does not.
    pub(super) fn runs(&self, vmid: u32) -> bool {
        self.world.state().guests.get(&vmid).is_some_and(Guest::running)
    }

    pub(super) fn may(&self, path: &str, privilege: &str) -> bool {
        self.world.state().may(&self.who, path, privilege)
    }

    pub(super) fn demand(&self, path: &str, privilege: &str) -> Result<(), Refusal> {
        self.world.state().demand(&self.who, path, privilege)
    }

    pub(super) fn only_root(&self, what: &str) -> Result<(), Refusal> {
        if self.who.is_root() {
            Ok(())
        } else {
            Err(Refusal::forbidden(&format!("{what} is only allowed for root@pam")))
        }
    }

    /// Starts a task and answers its UPID.
    pub(super) fn task<F>(&self, kind: &str, id: &str, body: impl FnOnce(Run) -> F) -> Value
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        Value::String(self.world.task(&self.who, &self.node, kind, id, self.fault.clone(), body))
    }
}
