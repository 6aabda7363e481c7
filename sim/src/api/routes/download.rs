//! Images that a node fetches: from the catalogue, or from any address. Nothing is really fetched. What lies at an address
//! is, here, the address itself: its sum is the one that a checksum is held against.

use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::Answer;
use crate::api::asked::Asked;
use crate::model::run::Run;
use crate::model::storage::{self, Volume};
use crate::refusal::Refusal;
use crate::tasks::images;

/// What an image from elsewhere takes up.
const SIZE: u64 = 96 << 20;

pub(super) fn answer(name: &str, asked: &Asked) -> Option<Answer> {
    Some(match name {
        "POST /nodes/{node}/aplinfo" => from_catalogue(asked),
        "POST /nodes/{node}/storage/{storage}/download-url" => from_elsewhere(asked),
        _ => return None,
    })
}

/// Whether the asked storage takes such files.
fn takes(asked: &Asked, content: &str) -> Result<bool, Refusal> {
    let storage = asked.need("storage");
    let taken = asked.world.state().storages.get(&storage).map(|found| found.holds(content));
    taken.ok_or_else(|| Refusal::died(format!("storage '{storage}' does not exist")))
}

fn from_catalogue(asked: &Asked) -> Answer {
    let (storage, file) = (asked.need("storage"), asked.need("template"));
    let Some(entry) = images::CATALOGUE.iter().find(|entry| entry.file == file) else {
        return Err(Refusal::died(format!("no such template '{file}'")));
    };
    if !takes(asked, "vztmpl")? {
        return Err(Refusal::died(format!("cannot download to storage type '{storage}'")));
    }
    let upid = asked.task("download", &file.clone(), move |run| async move {
        run.log(format!(
            "downloading http://download.proxmox.com/images/system/{file} to /var/lib/vz/template/cache/{file}"
        ));
        run.log("--2026-01-01 00:00:00--  http://download.proxmox.com/images/system/");
        run.work().await;
        keep(&run, &storage, "vztmpl", &file, entry.size)?;
        run.log("download finished");
        Ok(())
    });
    Ok(upid.into())
}

fn from_elsewhere(asked: &Asked) -> Answer {
    let (storage, file, url, content) =
        (asked.need("storage"), asked.need("filename"), asked.need("url"), asked.need("content"));
    if !takes(asked, &content)? {
        return Err(Refusal::died(format!("storage '{storage}' is not configured for content-type '{content}'")));
    }
    let endings: &[&str] =
        if content == "iso" { &[".iso", ".img"] } else { &[".tar.gz", ".tar.xz", ".tar.zst", ".tar.bz2"] };
    if content != "import" && !endings.iter().any(|ending| file.ends_with(ending)) {
        return Err(Refusal::parameter("filename", "wrong file extension"));
    }
    let sum = asked.text("checksum-algorithm").zip(asked.text("checksum"));
    let upid = asked.task("download", &file.clone(), move |run| async move {
        let id = volume(&storage, &content, &file);
        let path = storage::path(&id);
        run.log(format!("downloading {url} to {path}"));
        run.work().await;
        let there = run.world.state().volume(&id).is_some();
        if let Some((algorithm, expected)) = &sum {
            run.log(format!("calculating checksum...with hash algorithm '{algorithm}'"));
            let got = digest(algorithm, url.as_bytes())?;
            if got != expected.to_lowercase() {
                return Err(format!("checksum mismatch: got '{got}' != expect '{expected}'"));
            }
            run.log("OK, checksum verified");
        }
        match (there, &sum) {
            (true, Some(_)) => run.log("OK, got correct file already, no need to download"),
            (true, None) => return Err(format!("refusing to override existing file '{path}'")),
            (false, _) => keep(&run, &storage, &content, &file, SIZE)?,
        }
        run.log(format!("download of '{url}' to '{path}' finished"));
        Ok(())
    });
    Ok(upid.into())
}

fn volume(storage: &str, content: &str, file: &str) -> String {
    format!("{storage}:{content}/{file}")
}

fn digest(algorithm: &str, bytes: &[u8]) -> Result<String, String> {
    Ok(match algorithm {
        "sha224" => hex::encode(Sha224::digest(bytes)),
        "sha256" => hex::encode(Sha256::digest(bytes)),
        "sha384" => hex::encode(Sha384::digest(bytes)),
        "sha512" => hex::encode(Sha512::digest(bytes)),
        other => return Err(format!("{other} is not simulated")),
    })
}

fn keep(run: &Run, storage: &str, content: &str, file: &str, size: u64) -> Result<(), String> {
    let (now, node) = (run.world.clock.seconds(), run.node.clone());
    run.world.change(|state| {
        if state.free(storage, &node) < size {
            return Err("unable to download - No space left on device".to_owned());
        }
        let id = volume(storage, content, file);
        state.volumes.retain(|volume| volume.id != id || volume.node.as_deref().is_some_and(|on| on != node));
        let format = match file.rsplit('.').next() {
            Some("zst") => "tzst",
            Some("gz") => "tgz",
            Some("iso" | "img") => "iso",
            _ => "txz",
        };
        state.volumes.push(Volume {
            storage: storage.to_owned(),
            node: Some(node),
            id,
            content: content.to_owned(),
            format: format.to_owned(),
            size,
            used: size,
            vmid: None,
            ctime: now,
            notes: None,
            protected: false,
        });
        Ok(())
    })
}
