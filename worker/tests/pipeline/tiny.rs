//! A template that has something of everything and is through in a second.

use std::path::{Path, PathBuf};

const FILES: &[(&str, &str)] = &[
    (
        "template.conf",
        "TEMPLATE_APP=\"tiny\"\nTEMPLATE_OS=\"debian\"\nTEMPLATE_VERSION=\"12\"\nTEMPLATE_PORTS=\"80=web\"\nTEMPLATE_HEALTH=\"http://:80/health\"\n",
    ),
    ("container-configs/packages/base.apt", "nginx\n"),
    ("container-configs/files/conf", "answer=42\n"),
    ("container-configs/files/conf.path", "/etc/tiny\n"),
    ("container-configs/files/rules", "allow=nobody\n"),
    ("container-configs/files/rules.path", "/etc/tiny\n"),
    ("container-configs/files/rules.policy", "replace\n"),
    ("container-configs/files/rules.mode", "0640\n"),
    // The lines say how often each script ended well.
    (
        "container-configs/scripts/10-one.sh",
        "systemctl enable --now nginx\nmkdir -p /etc/infrahaus\necho TOKEN=s3cret >/etc/infrahaus/credentials\necho one >>/srv/ran\n",
    ),
    (
        "container-configs/scripts/20-two.sh",
        "#!/bin/sh\nset -eu\n[ ! -e /srv/broken ] || exit 3\nwhile [ -e /srv/slow ]; do sleep 0.05; done\necho two >>/srv/ran\n",
    ),
    // Not a shell's: there is no library for it, and no way to leave it out in its own language.
    ("container-configs/scripts/30-three.sh", "#!/usr/bin/awk -f\nBEGIN { print \"three\" >>\"/srv/ran\" }\n"),
];

/// Writes it below the directory and says where the templates are.
pub(crate) fn write(dir: &Path) -> PathBuf {
    let root = dir.join("templates");
    for (name, content) in FILES {
        let path = root.join("tiny").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    root
}
