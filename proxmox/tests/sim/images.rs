//! Images that the host fetches.

use proxmox::{Download, Error};
use sha2::{Digest, Sha256};

use crate::pve::{NODE, Pve, dry};

const URL: &str = "https://images.example/alpine-3.22.tar.xz";

fn from(checksum: Option<&str>) -> Download {
    Download {
        url: URL.into(),
        filename: "mine.tar.xz".into(),
        content: "vztmpl".into(),
        checksum: checksum.map(|sum| ("sha256".into(), sum.into())),
    }
}

#[tokio::test]
async fn an_image_from_elsewhere_is_there_when_its_sum_is_right() {
    let pve = Pve::new(dry()).await;
    let client = &pve.client;
    let wrong = pve.failed(client.download_url(NODE, "local", &from(Some(&"0".repeat(64)))).await).await;
    assert!(wrong.words().contains("checksum mismatch"), "{wrong}");
    let is_there = || async {
        let all = client.storage_content(NODE, "local", Some("vztmpl"), None).await.unwrap();
        all.iter().any(|each| each.volid == "local:vztmpl/mine.tar.xz")
    };
    assert!(!is_there().await, "what is wrong is not kept");

    // What lies at an address of the simulator's world is the address.
    let right = hex::encode(Sha256::digest(URL));
    pve.done(client.download_url(NODE, "local", &from(Some(&right))).await).await;
    assert!(is_there().await);
    pve.done(client.download_url(NODE, "local", &from(Some(&right))).await).await;
    let over = pve.failed(client.download_url(NODE, "local", &from(None)).await).await;
    assert!(over.words().contains("refusing to override existing file"), "{over}");

    let refused = client.download_url(NODE, "local", &Download { filename: "mine.exe".into(), ..from(None) }).await;
    assert!(matches!(refused, Err(Error::Parameter { .. })), "{refused:?}");
    let refused = client.download_url(NODE, "local-btrfs", &from(None)).await.unwrap_err();
    assert!(refused.words().contains("not configured for content-type"), "{refused}");
    pve.sim.stop().await;
}

#[tokio::test]
async fn an_image_of_the_catalogue_is_fetched_and_can_be_used() {
    let pve = Pve::new(dry()).await;
    let known = pve.client.templates(NODE).await.unwrap();
    let fedora = known.iter().find(|each| each.os == "fedora").unwrap();
    pve.done(pve.client.download_template(NODE, "local", &fedora.template).await).await;
    let template = format!("local:vztmpl/{}", fedora.template);
    let new = proxmox::LxcCreate { template, ..crate::pve::debian(101) };
    pve.done(pve.client.create_lxc(NODE, &new).await).await;
    pve.sim.stop().await;
}
