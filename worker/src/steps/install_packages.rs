//! The template's packages, then those that were asked for beside them.

use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::context::Context;
use crate::guest::{package_scripts, run_all};
use crate::step::{Done, Step, StepError};

pub(super) struct InstallPackages;

impl Step for InstallPackages {
    fn intend<'a>(&'a self, context: &'a Context, before: Option<&'a Value>) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async move { Done::with(&context.next_run(before)) })
    }

    fn act<'a>(&'a self, context: &'a Context, intent: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let template = context.template().await?;
            let extra = &context.spec().await?.packages;
            let lists = template.as_ref().map(|template| template.packages.as_slice()).unwrap_or_default();
            run_all(context, "p", context.run_of(intent)?, &package_scripts(lists, extra)).await?;
            Ok(Done::nothing())
        })
    }
}
