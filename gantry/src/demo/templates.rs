//! The template of the demo, from inside the program: it works wherever the program is.

use std::path::Path;

use crate::exit::{Outcome, While as _};

macro_rules! files {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../../infra/lxc/templates/", $path)))),+]
    };
}

const FILES: &[(&str, &str)] = files![
    "nginx/README.md",
    "nginx/template.conf",
    "nginx/container-configs/files/site.conf",
    "nginx/container-configs/files/site.conf.mode",
    "nginx/container-configs/files/site.conf.path",
    "nginx/container-configs/files/site.conf.policy",
    "nginx/container-configs/packages/base.apt",
    "nginx/container-configs/scripts/10-directories.sh",
    "nginx/container-configs/scripts/40-site.sh",
    "nginx/container-configs/scripts/90-start.sh",
];

pub(super) fn write(root: &Path) -> Outcome<()> {
    for (path, content) in FILES {
        let file = root.join(path);
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent).during("writing the demo's template")?;
        }
        std::fs::write(&file, content).during("writing the demo's template")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_template_is_in_the_program() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path()).unwrap();
        let inside = platform::catalogue::read_template(&dir.path().join("nginx"));
        let beside = platform::catalogue::read_template(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/lxc/templates/nginx"),
        );
        let version =
            |read: platform::catalogue::ReadTemplate| platform::catalogue::version_of(&read.template.unwrap());
        assert_eq!(version(inside), version(beside));
    }
}
