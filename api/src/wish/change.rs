use domain::container::Change;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::secret::Secret;

/// A new size. What is left out stays.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "memory_mb": 2048, "disk_gb": 20 }))]
pub(crate) struct Resize {
    #[schema(minimum = 1, maximum = 128)]
    cores: Option<u32>,
    #[schema(minimum = 128, maximum = 65536)]
    memory_mb: Option<u32>,
    #[schema(minimum = 0, maximum = 65536)]
    swap_mb: Option<u32>,
    /// Disks only grow.
    #[schema(minimum = 1, maximum = 10240)]
    disk_gb: Option<u32>,
}

/// What is to be different. What is left out stays.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "hostname": "shop", "tags": ["eu"], "description": "Ann's shop", "start_on_boot": true }))]
pub(crate) struct ChangeContainer {
    /// The container knows its new name after its next start.
    #[schema(min_length = 1, max_length = 63)]
    hostname: Option<String>,
    /// All of them: those that are not named are taken off.
    #[validate(length(max = 20, message = "give at most 20 tags"))]
    tags: Option<Vec<String>>,
    /// Empty: none any more.
    #[schema(max_length = 4096)]
    description: Option<String>,
    start_on_boot: Option<bool>,
}

/// A new password for root.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "root_password": "correct horse battery" }))]
pub(crate) struct RootPassword {
    /// Left out: one is made, and told once in the answer.
    #[schema(value_type = Option<String>, format = Password, min_length = 8, max_length = 128, write_only)]
    pub(crate) root_password: Option<Secret>,
}

impl From<&Resize> for Change {
    fn from(wish: &Resize) -> Self {
        Self {
            cores: wish.cores,
            memory_mb: wish.memory_mb,
            swap_mb: wish.swap_mb,
            disk_gb: wish.disk_gb,
            ..Self::default()
        }
    }
}

impl From<&ChangeContainer> for Change {
    fn from(wish: &ChangeContainer) -> Self {
        Self {
            hostname: wish.hostname.as_ref().map(|name| name.to_ascii_lowercase()),
            tags: wish.tags.as_ref().map(|tags| tags.iter().map(|tag| tag.to_ascii_lowercase()).collect()),
            description: wish.description.clone(),
            start_on_boot: wish.start_on_boot,
            ..Self::default()
        }
    }
}
