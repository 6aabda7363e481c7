use std::path::PathBuf;

use serde_json::json;

use crate::{
    exit::{Exit, Failure, Outcome, While as _},
    output::Output,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its name: a-z, 0-9 and dashes.
    name: String,
    /// Below which directory.
    #[arg(long, value_name = "DIRECTORY", default_value = "infra/lxc/templates")]
    root: PathBuf,
}

/// What a template begins with: each kind of file once, saying what it is for.
const FILES: &[(&str, &str)] = &[
    (
        "template.conf",
        "TEMPLATE_APP=\"NAME\"\n\
         TEMPLATE_DESCRIPTION=\"In one line: what one gets\"\n\
         TEMPLATE_TAGS=\"NAME\"\n\
         TEMPLATE_CPU=\"${TEMPLATE_CPU:-1}\"\n\
         TEMPLATE_RAM=\"${TEMPLATE_RAM:-512}\"\n\
         TEMPLATE_DISK=\"${TEMPLATE_DISK:-4}\"\n\
         TEMPLATE_OS=\"debian\"\n\
         TEMPLATE_VERSION=\"12\"\n\
         TEMPLATE_UNPRIVILEGED=1\n\
         # What has to listen before a container is called ready: TEMPLATE_PORTS=\"80=web;53/udp\"\n\
         # How to see that it works: TEMPLATE_HEALTH=\"http://:80/health\"\n\
         # What to ask whoever makes a container, NAME|type|default|rule|help; the answers are variables of the scripts.\n\
         TEMPLATE_INPUTS=\"GREETING|string|hello|80|What it says\"\n",
    ),
    (
        "README.md",
        "# NAME\n\nSay what it is, and what each input does.\n\n| input | default | |\n|---|---|---|\n| `GREETING` | `hello` | what it says |\n",
    ),
    ("container-configs/packages/base.apt", "# One package a line.\nca-certificates\n"),
    (
        "container-configs/scripts/40-greeting.sh",
        "#!/bin/sh\n\
         set -eu\n\
         # Scripts run in the order of their numbers, and may run again: the second run must change nothing.\n\
         if [ \"$(cat /etc/greeting 2>/dev/null)\" != \"$GREETING\" ]; then\n    \
             log_info \"Writing the greeting\"\n    \
             printf '%s\\n' \"$GREETING\" >/etc/greeting\n\
         fi\n",
    ),
    ("container-configs/files/motd", "Made from the template NAME.\n"),
    ("container-configs/files/motd.path", "/etc\n"),
    ("container-configs/files/motd.policy", "replace\n"),
    ("container-configs/files/motd.mode", "0644\n"),
];

pub(super) fn run(args: &Args, out: Output) -> Outcome {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if args.name.is_empty() || !args.name.chars().all(plain) || args.name.starts_with('-') {
        return Err(Failure::new(Exit::Usage, format!("{:?} is no name for a template", args.name))
            .next("use a-z, 0-9 and dashes, as in my-app"));
    }
    let directory = args.root.join(&args.name);
    if directory.exists() {
        return Err(Failure::new(Exit::Failed, format!("{} is there already", directory.display()))
            .next("choose another name, or remove it"));
    }
    for (path, content) in FILES {
        let file = directory.join(path);
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent).during(format!("making {}", parent.display()))?;
        }
        std::fs::write(&file, content.replace("NAME|", "\0").replace("NAME", &args.name).replace('\0', "NAME|"))
            .during(format!("writing {}", file.display()))?;
    }
    out.answer(&json!({ "directory": directory }), || {
        let at = directory.display();
        format!("{at} is begun. Fill it, then:\n  gantry template lint {at}\n  gantry template test {at}")
    });
    Ok(Exit::Done)
}
