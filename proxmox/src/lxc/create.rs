//! Containers come and go.

use super::Lxc;
use crate::call::{Call, Params};
use crate::client::Client;
use crate::error::Result;
use crate::shell::Secret;
use crate::upid::Upid;

/// A new container. Networks, mount points and features are Proxmox's property strings.
#[derive(Clone, Debug, Default)]
pub struct Create {
    pub vmid: u32,
    /// `local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst`
    pub template: String,
    /// `local-zfs:8`: the storage, and the size in GiB.
    pub rootfs: String,
    pub hostname: Option<String>,
    /// At least five characters; Proxmox keeps its hash only.
    pub password: Option<Secret>,
    pub ssh_keys: Option<String>,
    pub cores: Option<u32>,
    pub cpu_limit: Option<f64>,
    pub cpu_units: Option<u32>,
    /// MiB
    pub memory: Option<u64>,
    /// MiB
    pub swap: Option<u64>,
    /// `net0`, `net1`, …: `name=eth0,bridge=vmbr0,ip=dhcp`
    pub networks: Vec<String>,
    /// `mp0`, `mp1`, …: `local-zfs:8,mp=/data`
    pub mounts: Vec<String>,
    /// `nesting=1`; all others need root's ticket.
    pub features: Option<String>,
    pub unprivileged: bool,
    pub onboot: Option<bool>,
    pub start: bool,
    pub protection: Option<bool>,
    pub tags: Vec<String>,
    pub description: Option<String>,
    pub pool: Option<String>,
    pub nameserver: Option<String>,
    pub searchdomain: Option<String>,
    pub timezone: Option<String>,
    pub ostype: Option<String>,
    pub startup: Option<String>,
}

/// A container from a backup.
#[derive(Clone, Debug, Default)]
pub struct Restore {
    pub vmid: u32,
    /// The volume of the backup.
    pub archive: String,
    pub storage: Option<String>,
    /// Over the container that has this id.
    pub force: bool,
    /// New hardware addresses, so that it can live beside the original.
    pub unique: bool,
    pub unprivileged: Option<bool>,
    pub start: bool,
    pub hostname: Option<String>,
    /// In place of those in the backup.
    pub tags: Vec<String>,
    pub description: Option<String>,
    pub pool: Option<String>,
    pub bandwidth_kib: Option<u64>,
}

#[derive(Clone, Debug, Default)]
pub struct Clone {
    pub newid: u32,
    pub hostname: Option<String>,
    /// A copy of its own; without, it stays linked to a template.
    pub full: bool,
    /// Needed when it runs.
    pub snapshot: Option<String>,
    pub storage: Option<String>,
    pub target: Option<String>,
    pub pool: Option<String>,
    pub description: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delete {
    /// Stops it if it runs.
    pub force: bool,
    /// Out of backup jobs, replication and HA, too.
    pub purge: bool,
    /// Volumes of this id that the configuration does not name.
    pub unreferenced_disks: bool,
}

impl Client {
    /// [`Error::AlreadyExists`](crate::Error::AlreadyExists) at once if the id is taken; most else fails in the task.
    pub async fn create_lxc(&self, node: &str, new: &Create) -> Result<Upid> {
        let mut params = Params::default();
        params.set("vmid", new.vmid);
        params.set("ostemplate", &new.template);
        params.set("rootfs", &new.rootfs);
        params.set("unprivileged", new.unprivileged);
        params.set("start", new.start);
        params.maybe("hostname", &new.hostname);
        params.secret("password", new.password.as_ref());
        params.maybe("ssh-public-keys", &new.ssh_keys);
        params.maybe("cores", &new.cores);
        params.maybe("cpulimit", &new.cpu_limit);
        params.maybe("cpuunits", &new.cpu_units);
        params.maybe("memory", &new.memory);
        params.maybe("swap", &new.swap);
        params.numbered("net", &new.networks);
        params.numbered("mp", &new.mounts);
        params.maybe("features", &new.features);
        params.maybe("onboot", &new.onboot);
        params.maybe("protection", &new.protection);
        if !new.tags.is_empty() {
            params.set("tags", new.tags.join(";"));
        }
        params.maybe("description", &new.description);
        params.maybe("pool", &new.pool);
        params.maybe("nameserver", &new.nameserver);
        params.maybe("searchdomain", &new.searchdomain);
        params.maybe("timezone", &new.timezone);
        params.maybe("ostype", &new.ostype);
        params.maybe("startup", &new.startup);
        self.call(Call::post("/nodes/{node}/lxc", &[&node]).params(params)).await
    }

    pub async fn restore_lxc(&self, node: &str, from: &Restore) -> Result<Upid> {
        let call = Call::post("/nodes/{node}/lxc", &[&node])
            .with("vmid", from.vmid)
            .with("ostemplate", &from.archive)
            .with("restore", true)
            .with("force", from.force)
            .with("unique", from.unique)
            .with("start", from.start)
            .maybe("storage", &from.storage)
            .maybe("unprivileged", &from.unprivileged)
            .maybe("hostname", &from.hostname)
            .maybe("tags", &(!from.tags.is_empty()).then(|| from.tags.join(";")))
            .maybe("description", &from.description)
            .maybe("pool", &from.pool)
            .maybe("bwlimit", &from.bandwidth_kib);
        self.call(call).await
    }
}

impl Lxc {
    pub async fn clone_to(&self, copy: &Clone) -> Result<Upid> {
        let call = Call::post("/nodes/{node}/lxc/{vmid}/clone", &[&self.node, &self.vmid])
            .with("newid", copy.newid)
            .with("full", copy.full)
            .maybe("hostname", &copy.hostname)
            .maybe("snapname", &copy.snapshot)
            .maybe("storage", &copy.storage)
            .maybe("target", &copy.target)
            .maybe("pool", &copy.pool)
            .maybe("description", &copy.description);
        self.client.call(call).await
    }

    pub async fn delete(&self, how: Delete) -> Result<Upid> {
        let call = Call::delete("/nodes/{node}/lxc/{vmid}", &[&self.node, &self.vmid])
            .with("force", how.force)
            .with("purge", how.purge)
            .with("destroy-unreferenced-disks", how.unreferenced_disks);
        self.client.call(call).await
    }
}
