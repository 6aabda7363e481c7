//! The image that the container is made from has to be on a storage of its node; it is fetched when that is allowed.

use domain::container::Source;
use domain::operation::Failure;
use futures_util::future::BoxFuture;
use proxmox::Content;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Leased;
use crate::context::Context;
use crate::failure::proxmox_failure;
use crate::hosts::Host;
use crate::step::{Done, Step, StepError};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Image {
    pub volume: String,
}

pub(super) struct EnsureImage;

impl Step for EnsureImage {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let leased = Leased::of(context)?;
            let (host, node) = (context.tools.hosts.get(leased.place.host).await?, &leased.place.node);
            let wanted = wanted(context).await?;
            let Available { volume, holder } = Available::on(&host, node, &wanted).await?;
            if let Some(volume) = volume {
                return Done::with(&Image { volume });
            }
            if !context.tools.settings.download_images {
                return Err(missing(&wanted, "downloading images is switched off; an operator can put it there"));
            }
            let Some(holder) = &holder else {
                return Err(missing(&wanted, &format!("{node} has no storage for images (content type vztmpl)")));
            };
            let offered = host.client.templates(node).await.map_err(proxmox_failure)?;
            let mut offered: Vec<_> = offered.iter().filter(|offer| matches(&offer.template, &wanted)).collect();
            offered.sort_by(|a, b| b.template.cmp(&a.template));
            let Some(offer) = offered.first() else {
                return Err(missing(
                    &wanted,
                    "the catalogue of the host does not have it either; `pveam update` renews it",
                ));
            };
            context.tell(0.1, format!("Downloading {}", offer.template)).await;
            let upid = host.client.download_template(node, holder, &offer.template).await.map_err(proxmox_failure)?;
            context.task(&host, &upid).await?;
            Done::with(&Image { volume: format!("{holder}:vztmpl/{}", offer.template) })
        })
    }
}

/// Whether a node has an image.
pub(crate) struct Available {
    pub volume: Option<String>,
    /// The storage that it may be put on when it is not there.
    pub holder: Option<String>,
}

impl Available {
    pub(crate) async fn on(host: &Host, node: &str, wanted: &str) -> Result<Self, StepError> {
        let mut holder = None;
        for storage in host.client.storages(node, Some("vztmpl")).await.map_err(proxmox_failure)? {
            if !storage.active {
                continue;
            }
            let images = host.client.storage_content(node, &storage.storage, Some("vztmpl"), None).await;
            if let Some(image) = newest(&images.map_err(proxmox_failure)?, wanted) {
                return Ok(Self { volume: Some(image.volid.clone()), holder });
            }
            holder.get_or_insert(storage.storage);
        }
        Ok(Self { volume: None, holder })
    }
}

/// A volume's id or a file's name, or only its beginning: `debian-12`.
async fn wanted(context: &Context) -> Result<String, StepError> {
    if let (Source::Image(image), _) = context.made_from().await? {
        return Ok(image.clone());
    }
    let template = context.template().await?.ok_or_else(|| StepError::internal("neither image nor template"))?;
    Ok(format!("{}-{}", template.settings.os, template.settings.version))
}

fn matches(file: &str, wanted: &str) -> bool {
    let wanted = wanted.rsplit('/').next().unwrap_or(wanted);
    file == wanted || file.strip_prefix(wanted).is_some_and(|rest| rest.starts_with(['-', '.', '_']))
}

fn newest<'a>(images: &'a [Content], wanted: &str) -> Option<&'a Content> {
    let file = |volid: &str| volid.rsplit('/').next().unwrap_or_default().to_owned();
    let fits =
        |image: &&Content| image.volid == wanted || (!wanted.contains(':') && matches(&file(&image.volid), wanted));
    images.iter().filter(fits).max_by(|a, b| file(&a.volid).cmp(&file(&b.volid)))
}

fn missing(wanted: &str, why: &str) -> StepError {
    StepError::last(Failure::new("image-missing", "The image is not there", format!("{wanted}: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_finds_its_images_and_no_others() {
        assert!(matches("debian-12-standard_12.7-1_amd64.tar.zst", "debian-12"));
        assert!(!matches("debian-120-standard.tar.zst", "debian-12"));
        assert!(matches(
            "debian-12-standard_12.7-1_amd64.tar.zst",
            "local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst"
        ));
    }
}
