//! A snapshot and a backup bring back the settings of then as well as the files. What the container has and takes of its
//! quota is on record, and was not what somebody went back for: the guest gets the settings on record again.

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::change_guest::{put, said};
use super::grow_disk::grow;
use crate::context::Context;
use crate::failure::proxmox_failure;
use crate::step::{Done, Step, StepError};

pub(super) struct RestoreSettings;

const ALL: [&str; 8] = ["hostname", "cores", "memory_mb", "swap_mb", "tags", "start_on_boot", "network", "features"];

impl Step for RestoreSettings {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let (host, place, spec) = (context.host().await?, context.place().await?, context.spec().await?);
            let config = host.client.lxc(&place.node, place.vmid.get()).config().await.map_err(proxmox_failure)?;
            put(context, |_, _| true, &said(context.container_id, spec, &ALL, &config)).await?;
            grow(context, spec.disk_gb).await?;
            Ok(Done::nothing())
        })
    }
}
