use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use platform::catalogue::{pack, template_files, unpack};
use serde_json::json;

use crate::{
    client::Api,
    exit::{Exit, Failure, Outcome, While as _},
    output::Output,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Upload {
    /// The directory of a template, its name below infra/lxc/templates, or one that was packed.
    template: String,
    #[command(flatten)]
    api: Api,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Remove {
    /// Its name.
    template: String,
    #[command(flatten)]
    api: Api,
}

pub(super) async fn upload(args: &Upload, out: Output) -> Outcome {
    let directory = super::directory(&args.template);
    let wrong = |why: String| Failure::new(Exit::Failed, format!("{} {why}", args.template));
    let (name, packed) = if directory.is_dir() {
        let template = super::read(&directory)?;
        let files = template_files(&directory).map_err(|finding| wrong(finding.to_string()))?;
        let packed = pack(&template.name, &files).map_err(|error| wrong(error.to_string()))?;
        (template.name, packed)
    } else {
        let packed = std::fs::read(Path::new(&args.template)).during(format!("reading {}", args.template))?;
        let (name, _) = unpack(&packed).map_err(|error| wrong(error.to_string()))?;
        (name, packed)
    };
    let wish = json!({ "packed": BASE64.encode(packed) });
    let kept = args.api.client()?.put(&format!("/v1/templates/{name}"), &wish).await?;
    let version = kept["version"].as_str().unwrap_or_default().to_owned();
    out.answer(&kept, || format!("{name} is a template of yours now\nversion {version}"));
    Ok(Exit::Done)
}

pub(super) async fn remove(args: &Remove, out: Output) -> Outcome {
    let name = &args.template;
    args.api.client()?.delete(&format!("/v1/templates/{name}"), &[]).await?;
    out.answer(&json!({ "template": name, "removed": true }), || {
        format!("{name} is gone; what was made from it stays")
    });
    Ok(Exit::Done)
}
