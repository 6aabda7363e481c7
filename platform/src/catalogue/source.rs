//! Reading files that somebody else wrote: inside the directory, of a sane size, or not at all.

use std::cell::Cell;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use domain::template::Finding;

/// A template is scripts and configuration; what is larger belongs into a package or a download.
const FILE_LIMIT: u64 = 1 << 20;
const ENTRIES_LIMIT: usize = 500;
/// Of all its files together: a thousand templates have to fit beside each other.
const WHOLE_LIMIT: u64 = 8 << 20;

/// One template's directory. Everything is read through it, so that nothing outside can be.
#[derive(Debug)]
pub(super) struct Source {
    root: PathBuf,
    /// How many bytes were read so far.
    read: Cell<u64>,
}

impl Source {
    /// A directory of templates: a link in it that leads elsewhere is no template.
    pub(super) fn open(dir: &Path, tree: Option<&Path>) -> Result<Self, Finding> {
        let told = |e: std::io::Error| Finding::error(0, format!("can't be read: {e}"), "look at its owner and mode");
        let root = dir.canonicalize().map_err(|e| match fs::symlink_metadata(dir) {
            Ok(kind) if kind.is_symlink() => Finding::error(0, "is a link to nothing", "remove it"),
            _ => told(e),
        })?;
        if let Some(tree) = tree
            && root.parent() != Some(tree.canonicalize().map_err(told)?.as_path())
        {
            let fix = "copy the directory here";
            return Err(Finding::error(0, "is a link that leads out of the directory of templates", fix));
        }
        Ok(Self { root, read: Cell::new(0) })
    }

    /// `None` when there is no such file.
    pub(super) fn bytes(&self, relative: &str) -> Result<Option<Vec<u8>>, Finding> {
        let told = |problem: String, fix: &str| Finding::error(0, problem, fix).in_file(relative);
        let real = match self.root.join(relative).canonicalize() {
            Ok(real) => real,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let dangling = fs::symlink_metadata(self.root.join(relative)).is_ok();
                return if dangling { Err(told("is a link to nothing".into(), "remove it")) } else { Ok(None) };
            }
            Err(e) => return Err(told(format!("can't be read: {e}"), "look at its owner and mode")),
        };
        if !real.starts_with(&self.root) {
            return Err(told("is a link that leads out of the template".into(), "copy the file here"));
        }
        let unreadable = |e: std::io::Error| told(format!("can't be read: {e}"), "look at its owner and mode");
        if !fs::metadata(&real).map_err(unreadable)?.is_file() {
            return Err(told("is not a file".into(), "templates are made of plain files"));
        }
        let mut bytes = Vec::new();
        let file = fs::File::open(&real).map_err(unreadable)?;
        file.take(FILE_LIMIT + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > FILE_LIMIT {
            return Err(told("is larger than 1 MiB".into(), "let a script download it, with its checksum"));
        }
        self.read.set(self.read.get() + bytes.len() as u64);
        if self.read.get() > WHOLE_LIMIT {
            return Err(told("makes the template larger than 8 MiB".into(), "let a script download what is large"));
        }
        Ok(Some(bytes))
    }

    pub(super) fn text(&self, relative: &str) -> Result<Option<String>, Finding> {
        let Some(bytes) = self.bytes(relative)? else { return Ok(None) };
        let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
        text.map(Some).ok_or_else(|| Finding::error(0, "is not UTF-8 text", "save it as UTF-8").in_file(relative))
    }

    /// The names in a directory, sorted; empty when it does not exist.
    pub(super) fn names(&self, relative: &str) -> Result<Vec<String>, Finding> {
        let told = |problem: String, fix: &str| Finding::error(0, problem, fix).in_file(relative);
        let dir = match self.root.join(relative).canonicalize() {
            Ok(dir) if dir.starts_with(&self.root) => dir,
            Ok(_) => return Err(told("is a link that leads out of the template".into(), "copy the directory here")),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(told(format!("can't be read: {e}"), "look at its owner and mode")),
        };
        let entries =
            fs::read_dir(dir).map_err(|e| told(format!("can't be read: {e}"), "look at its owner and mode"))?;
        let mut names = Vec::new();
        for entry in entries.flatten() {
            match entry.file_name().into_string() {
                Ok(name) if name.starts_with('.') || name.ends_with('~') => {}
                Ok(name) if is_plain(&name) => names.push(name),
                Ok(name) => {
                    return Err(told(format!("{name:?} has odd characters in its name"), "use a-z, 0-9, . _ -"));
                }
                Err(name) => return Err(told(format!("{} has a name that is no text", name.display()), "rename it")),
            }
            if names.len() > ENTRIES_LIMIT {
                return Err(told(format!("has more than {ENTRIES_LIMIT} files"), "split the template"));
            }
        }
        names.sort();
        Ok(names)
    }
}

pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.len() <= 128 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+@".contains(&b))
}
