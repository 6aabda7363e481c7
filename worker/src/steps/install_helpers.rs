//! The library that scripts may call goes into the guest, as a file that a person there can read.

use bytes::Bytes;
use domain::pipeline::PipelineName;
use futures_util::future::BoxFuture;
use proxmox::shell::Owner;
use serde_json::Value;

use super::update_files::running;
use crate::context::Context;
use crate::guest::{LIBRARY, guest_failure};
use crate::step::{Done, Step, StepError};

pub(super) struct InstallHelpers;

impl Step for InstallHelpers {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            // Nothing before it has started the guest.
            if context.operation.accepted().is_some_and(|accepted| accepted.pipeline == PipelineName::Apply) {
                let (host, place) = (context.host().await?, context.place().await?);
                running(&host, place).await?;
            }
            let guest = context.guest().await?;
            let target = "/usr/local/lib/gantry/library.sh";
            let library = Bytes::from_static(LIBRARY.as_bytes());
            guest.push_bytes(library, target, &Owner::root(0o644)).await.map_err(guest_failure)?;
            Ok(Done::nothing())
        })
    }
}
