//! Where one is signed in: a file of one's own, readable by nobody else.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::exit::{Exit, Failure, Outcome, While as _};

#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Contexts {
    pub current: Option<String>,
    #[serde(default)]
    pub contexts: BTreeMap<String, Context>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Context {
    pub url: String,
    pub login: String,
    /// For which account, when one is a member of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    pub access_token: String,
    pub refresh_token: String,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("url", &self.url).field("login", &self.login).finish_non_exhaustive()
    }
}

impl Contexts {
    pub(crate) fn read() -> Outcome<Self> {
        let path = place()?;
        match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).during(format!("reading {}", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).during(format!("reading {}", path.display())),
        }
    }

    pub(crate) fn write(&self) -> Outcome<()> {
        let path = place()?;
        let new = path.with_extension("new");
        let mut file = own(OpenOptions::new().write(true).create(true).truncate(true), &new)?;
        let text = serde_json::to_string_pretty(self)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).during(format!("writing {}", new.display()))?;
        std::fs::rename(&new, &path).during(format!("writing {}", path.display()))
    }

    pub(crate) fn current(&self) -> Option<(&str, &Context)> {
        let name = self.current.as_deref()?;
        self.contexts.get(name).map(|context| (name, context))
    }
}

/// Held while the file is changed: a refresh token that two use at once ends the session.
pub(crate) fn lock() -> Outcome<File> {
    let path = place()?.with_extension("lock");
    let file = own(OpenOptions::new().write(true).create(true).truncate(false), &path)?;
    file.lock().during(format!("waiting for {}", path.display()))?;
    Ok(file)
}

fn own(options: &mut OpenOptions, path: &std::path::Path) -> Outcome<File> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).during(format!("making {}", directory.display()))?;
    }
    options.mode(0o600).open(path).during(format!("opening {}", path.display()))
}

#[expect(clippy::disallowed_methods, reason = "where a person's own files are is no setting of the server")]
fn place() -> Outcome<PathBuf> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty()).map(PathBuf::from);
    let place = set("GANTRY_CONTEXTS")
        .or_else(|| set("XDG_CONFIG_HOME").map(|directory| directory.join("gantry/contexts.json")))
        .or_else(|| set("HOME").map(|directory| directory.join(".config/gantry/contexts.json")));
    place.ok_or_else(|| {
        Failure::new(Exit::Usage, "there is no place for what you are signed in with")
            .next("set HOME, or GANTRY_CONTEXTS to a file")
    })
}
