//! The template images that a fresh host has, and those it can download.

/// On `local` from the start: file and size.
pub(crate) const PRESENT: &[(&str, u64)] = &[
    ("alpine-3.22-default_20250617_amd64.tar.xz", 3_208_992),
    ("busybox-1.37-alpine-like_amd64.tar.gz", 1_065_472),
    ("debian-12-standard_12.7-1_amd64.tar.zst", 126_515_062),
    ("debian-13-standard_13.1-2_amd64.tar.zst", 129_710_398),
    ("ubuntu-24.04-standard_24.04-2_amd64.tar.zst", 141_589_318),
];

/// A line of the catalogue: file, system, version, headline, section.
pub(crate) struct Entry {
    pub(crate) file: &'static str,
    pub(crate) os: &'static str,
    pub(crate) version: &'static str,
    pub(crate) headline: &'static str,
    pub(crate) size: u64,
}

pub(crate) const CATALOGUE: &[Entry] = &[
    Entry {
        file: "alpine-3.22-default_20250617_amd64.tar.xz",
        os: "alpine",
        version: "20250617",
        headline: "LXC default image for alpine 3.22 (20250617)",
        size: 3_208_992,
    },
    Entry {
        file: "debian-12-standard_12.7-1_amd64.tar.zst",
        os: "debian-12",
        version: "12.7-1",
        headline: "Debian 12 Bookworm (standard)",
        size: 126_515_062,
    },
    Entry {
        file: "debian-12-standard_12.12-1_amd64.tar.zst",
        os: "debian-12",
        version: "12.12-1",
        headline: "Debian 12 Bookworm (standard)",
        size: 126_900_121,
    },
    Entry {
        file: "debian-13-standard_13.1-2_amd64.tar.zst",
        os: "debian-13",
        version: "13.1-2",
        headline: "Debian 13 Trixie (standard)",
        size: 129_710_398,
    },
    Entry {
        file: "fedora-42-default_20250428_amd64.tar.xz",
        os: "fedora",
        version: "20250428",
        headline: "LXC default image for fedora 42 (20250428)",
        size: 87_654_321,
    },
    Entry {
        file: "rockylinux-9-default_20240912_amd64.tar.xz",
        os: "centos",
        version: "20240912",
        headline: "LXC default image for rockylinux 9 (20240912)",
        size: 98_765_432,
    },
    Entry {
        file: "ubuntu-24.04-standard_24.04-2_amd64.tar.zst",
        os: "ubuntu-24.04",
        version: "24.04-2",
        headline: "Ubuntu 24.04 Noble (standard)",
        size: 141_589_318,
    },
];

/// What an image takes up once it is unpacked.
pub(crate) fn unpacked(image: &str) -> u64 {
    if image.contains("busybox") || image.contains("alpine") { 2_461_696 } else { 193_056_768 }
}

/// The `ostype` that Proxmox finds in an image.
pub(crate) fn ostype(image: &str) -> &'static str {
    let name = image.rsplit('/').next().unwrap_or(image);
    ["debian", "ubuntu", "fedora", "centos", "rockylinux", "archlinux", "opensuse", "gentoo"]
        .into_iter()
        .find(|os| name.starts_with(os))
        .map_or_else(
            || if name.contains("alpine") { "alpine" } else { "unmanaged" },
            |os| if os == "rockylinux" { "centos" } else { os },
        )
}
