//! What each thing that the product does needs on a host.

/// Privileges of one capability. `{node}` and `{storage}` in a path are filled from what is checked.
pub(super) struct Need {
    pub(super) capability: &'static str,
    pub(super) path: &'static str,
    pub(super) privileges: &'static [&'static str],
}

pub(super) const NEEDS: &[Need] = &[
    Need { capability: "read nodes and guests", path: "/", privileges: &["Sys.Audit", "VM.Audit", "Pool.Audit"] },
    Need {
        capability: "create and change containers",
        path: "/vms",
        privileges: &[
            "VM.Allocate",
            "VM.Config.CPU",
            "VM.Config.Disk",
            "VM.Config.Memory",
            "VM.Config.Network",
            "VM.Config.Options",
        ],
    },
    Need { capability: "start and stop", path: "/vms", privileges: &["VM.PowerMgmt"] },
    Need { capability: "snapshots", path: "/vms", privileges: &["VM.Snapshot", "VM.Snapshot.Rollback"] },
    Need { capability: "clone", path: "/vms", privileges: &["VM.Clone"] },
    Need { capability: "backup and restore", path: "/vms", privileges: &["VM.Backup"] },
    Need { capability: "console", path: "/vms", privileges: &["VM.Console"] },
    Need {
        capability: "disks and images",
        path: "/storage",
        privileges: &["Datastore.Audit", "Datastore.AllocateSpace", "Datastore.AllocateTemplate"],
    },
    Need { capability: "the network of containers", path: "/sdn/zones", privileges: &["SDN.Use"] },
];

/// Kinds of content that some storage of a node must take, and what for.
pub(super) const CONTENT: &[(&str, &str)] =
    &[("vztmpl", "images of containers"), ("rootdir", "disks of containers"), ("backup", "backups")];

pub(super) const OLDEST: (u32, u32) = (8, 0);
/// Tickets and tasks carry times; more than this and their order cannot be trusted.
pub(super) const SKEW_SECONDS: u64 = 30;
