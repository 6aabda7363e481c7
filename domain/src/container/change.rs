//! What of a container that is there may become different: its size, its name, and what it is known by.

use serde::{Deserialize, Serialize};

use super::{ContainerSpec, Features, Network, marker};
use crate::field::{FieldError, wrong};

/// The longest description; Proxmox keeps 8 KB, and the marker needs its part.
const LONGEST: usize = 4096;

/// All that is none stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Change {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cores: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_mb: Option<u32>,
    /// Disks only grow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_gb: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Empty: none any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_on_boot: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Box<Network>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features: Option<Features>,
}

impl Change {
    /// The names of the fields that are given.
    #[must_use]
    pub fn fields(&self) -> Vec<&'static str> {
        let given = [
            ("cores", self.cores.is_some()),
            ("memory_mb", self.memory_mb.is_some()),
            ("swap_mb", self.swap_mb.is_some()),
            ("disk_gb", self.disk_gb.is_some()),
            ("hostname", self.hostname.is_some()),
            ("tags", self.tags.is_some()),
            ("description", self.description.is_some()),
            ("start_on_boot", self.start_on_boot.is_some()),
            ("network", self.network.is_some()),
            ("features", self.features.is_some()),
        ];
        given.into_iter().filter_map(|(name, given)| given.then_some(name)).collect()
    }

    /// The container as it is to be.
    #[must_use]
    pub fn of(&self, spec: &ContainerSpec) -> ContainerSpec {
        let mut spec = spec.clone();
        spec.cores = self.cores.unwrap_or(spec.cores);
        spec.memory_mb = self.memory_mb.unwrap_or(spec.memory_mb);
        spec.swap_mb = self.swap_mb.unwrap_or(spec.swap_mb);
        spec.disk_gb = self.disk_gb.unwrap_or(spec.disk_gb);
        spec.hostname = self.hostname.clone().unwrap_or(spec.hostname);
        spec.tags = self.tags.clone().unwrap_or(spec.tags);
        spec.start_on_boot = self.start_on_boot.unwrap_or(spec.start_on_boot);
        spec.network = self.network.as_deref().cloned().unwrap_or(spec.network);
        spec.features = self.features.unwrap_or(spec.features);
        if let Some(text) = self.description.as_deref().map(str::trim) {
            spec.description = (!text.is_empty()).then(|| text.to_owned());
        }
        spec.normalized()
    }

    /// All that is wrong with making this container so, at once.
    #[must_use]
    pub fn faults(&self, spec: &ContainerSpec) -> Vec<FieldError> {
        let given = self.fields();
        let of_given = |error: &FieldError| given.iter().any(|name| error.field.split('[').next() == Some(name));
        let mut errors: Vec<_> = self.of(spec).validate().into_iter().filter(of_given).collect();
        if let Some(wanted) = self.disk_gb.filter(|wanted| *wanted < spec.disk_gb) {
            let fix =
                format!("choose {} or more; to go back, make a smaller container and move what it holds", spec.disk_gb);
            errors.retain(|error| error.field != "disk_gb");
            errors.push(wrong(
                "disk_gb",
                format!("{wanted} GB is less than the {} GB it has, and disks only grow", spec.disk_gb),
                fix,
            ));
        }
        errors
    }
}

/// What is wrong with a description, if anything is.
pub(super) fn check_description(text: &str) -> Option<FieldError> {
    let (problem, fix) = if text.chars().count() > LONGEST {
        ("is too long".to_owned(), format!("at most {LONGEST} characters"))
    } else if text.contains(|c: char| c.is_control() && c != '\n') || text.contains(marker::LINE) {
        ("has signs that do not belong there".to_owned(), "plain text, in lines".to_owned())
    } else {
        return None;
    };
    Some(wrong("description", problem, fix))
}
