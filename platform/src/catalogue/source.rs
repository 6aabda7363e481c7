//! Reading files that somebody else wrote: inside the directory, of a sane size, or not at all.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use domain::template::Finding;

/// A template is scripts and configuration; what is larger belongs into a package or a download.
const FILE_LIMIT: u64 = 1 << 20;
const ENTRIES_LIMIT: usize = 500;
/// Of all its files together: a thousand templates have to fit beside each other.
const WHOLE_LIMIT: u64 = 8 << 20;

/// The parts of a template that are directories, and its files beside them.
pub(super) const DIRECTORIES: [&str; 4] =
    ["container-configs/scripts", "container-configs/packages", "container-configs/files", BUCKETS];
/// Lists of packages that a template brings itself; those that templates share lie in `buckets` beside their tree.
pub(super) const BUCKETS: &str = "buckets";
const FILES: [&str; 3] = ["template.conf", "container.sh", "README.md"];

/// The files of a template by their paths in it.
pub type Files = BTreeMap<String, Vec<u8>>;

/// One template's files. Everything is read through it, so that nothing else can be.
#[derive(Debug)]
pub(super) struct Source {
    place: Place,
    /// How many bytes were read so far.
    read: Cell<u64>,
}

#[derive(Debug)]
enum Place {
    Directory { root: PathBuf, shared: PathBuf },
    Given(Files),
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
        let shared = root.parent().and_then(Path::parent).unwrap_or(&root).join(BUCKETS);
        Ok(Self { place: Place::Directory { root, shared }, read: Cell::new(0) })
    }

    /// What the templates of a tree share; nothing when they share nothing.
    pub(super) fn shared(tree: &Path) -> Option<Self> {
        Self::inside(&tree.canonicalize().ok()?.parent()?.join(BUCKETS))
    }

    fn inside(shared: &Path) -> Option<Self> {
        let root = shared.canonicalize().ok()?;
        Some(Self { place: Place::Directory { shared: root.clone(), root }, read: Cell::new(0) })
    }

    pub(super) fn given(files: Files) -> Result<Self, Vec<Finding>> {
        let stray = files.keys().filter(|path| !belongs(path)).take(20).map(|path| {
            let fix = "a template has template.conf, README.md, and files right below container-configs/scripts, packages and files";
            Finding::error(0, "is no part of a template", fix).in_file(path)
        });
        let stray: Vec<_> = stray.collect();
        if stray.is_empty() { Ok(Self { place: Place::Given(files), read: Cell::new(0) }) } else { Err(stray) }
    }

    /// Every file that is part of it.
    pub(super) fn all(&self) -> Result<Files, Finding> {
        let mut files = Files::new();
        let mut paths: Vec<String> = FILES.map(str::to_owned).into();
        for directory in DIRECTORIES {
            paths.extend(self.names(directory)?.into_iter().map(|name| format!("{directory}/{name}")));
        }
        for path in paths {
            if let Some(bytes) = self.bytes(&path)? {
                files.insert(path, bytes);
            }
        }
        Ok(files)
    }

    /// `None` when there is no such file.
    pub(super) fn bytes(&self, relative: &str) -> Result<Option<Vec<u8>>, Finding> {
        let told = |problem: &str, fix: &str| Err(Finding::error(0, problem, fix).in_file(relative));
        let bytes = match &self.place {
            Place::Directory { root, .. } => read(root, relative)?,
            Place::Given(files) => files.get(relative).cloned(),
        };
        let size = bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
        if size > FILE_LIMIT {
            return told("is larger than 1 MiB", "let a script download it, with its checksum");
        }
        self.read.set(self.read.get() + size);
        if self.read.get() > WHOLE_LIMIT {
            return told("makes the template larger than 8 MiB", "let a script download what is large");
        }
        Ok(bytes)
    }

    pub(super) fn text(&self, relative: &str) -> Result<Option<String>, Finding> {
        let Some(bytes) = self.bytes(relative)? else { return Ok(None) };
        let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
        text.map(Some).ok_or_else(|| Finding::error(0, "is not UTF-8 text", "save it as UTF-8").in_file(relative))
    }

    /// The lists of a bucket by their names: the template's own, or else the shared one.
    pub(super) fn bucket(&self, name: &str) -> Result<Files, Finding> {
        let of_it = |file: &String| file.rsplit_once('.').is_some_and(|(stem, _)| stem == name);
        let own: Vec<String> = self.names(BUCKETS)?.into_iter().filter(of_it).collect();
        let mut lists = Files::new();
        if !own.is_empty() {
            for file in own {
                let bytes = self.bytes(&format!("{BUCKETS}/{file}"))?;
                lists.extend(bytes.map(|bytes| (file, bytes)));
            }
            return Ok(lists);
        }
        let Place::Directory { shared, .. } = &self.place else { return Ok(lists) };
        let Some(source) = Self::inside(shared) else { return Ok(lists) };
        source.read.set(self.read.get());
        for file in source.names("")?.into_iter().filter(of_it) {
            let bytes = source.bytes(&file)?;
            lists.extend(bytes.map(|bytes| (file, bytes)));
        }
        Ok(lists)
    }

    /// The names in a directory, sorted; empty when it does not exist.
    pub(super) fn names(&self, relative: &str) -> Result<Vec<String>, Finding> {
        let mut names = match &self.place {
            Place::Directory { root, .. } => list(root, relative)?,
            Place::Given(files) => {
                let below = |path: &String| path.strip_prefix(relative)?.strip_prefix('/').map(str::to_owned);
                files.keys().filter_map(below).collect()
            }
        };
        if names.len() > ENTRIES_LIMIT {
            let problem = format!("has more than {ENTRIES_LIMIT} files");
            return Err(Finding::error(0, problem, "split the template").in_file(relative));
        }
        names.sort();
        Ok(names)
    }
}

fn read(root: &Path, relative: &str) -> Result<Option<Vec<u8>>, Finding> {
    let told = |problem: String, fix: &str| Finding::error(0, problem, fix).in_file(relative);
    let unreadable = |e: std::io::Error| told(format!("can't be read: {e}"), "look at its owner and mode");
    let real = match root.join(relative).canonicalize() {
        Ok(real) => real,
        Err(e) if e.kind() == ErrorKind::NotFound => {
            let dangling = fs::symlink_metadata(root.join(relative)).is_ok();
            return if dangling { Err(told("is a link to nothing".into(), "remove it")) } else { Ok(None) };
        }
        Err(e) => return Err(unreadable(e)),
    };
    if !real.starts_with(root) {
        return Err(told("is a link that leads out of the template".into(), "copy the file here"));
    }
    if !fs::metadata(&real).map_err(unreadable)?.is_file() {
        return Err(told("is not a file".into(), "templates are made of plain files"));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(&real).map_err(unreadable)?;
    file.take(FILE_LIMIT + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(Some(bytes))
}

fn list(root: &Path, relative: &str) -> Result<Vec<String>, Finding> {
    let told = |problem: String, fix: &str| Finding::error(0, problem, fix).in_file(relative);
    let unreadable = |e: std::io::Error| told(format!("can't be read: {e}"), "look at its owner and mode");
    let dir = match root.join(relative).canonicalize() {
        Ok(dir) if dir.starts_with(root) => dir,
        Ok(_) => return Err(told("is a link that leads out of the template".into(), "copy the directory here")),
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(unreadable(e)),
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)?.flatten() {
        match entry.file_name().into_string() {
            Ok(name) if name.starts_with('.') || name.ends_with('~') => {}
            Ok(name) if is_plain(&name) => names.push(name),
            Ok(name) => return Err(told(format!("{name:?} has odd characters in its name"), "use a-z, 0-9, . _ -")),
            Err(name) => return Err(told(format!("{} has a name that is no text", name.display()), "rename it")),
        }
        if names.len() > ENTRIES_LIMIT {
            break;
        }
    }
    Ok(names)
}

fn belongs(path: &str) -> bool {
    let below =
        path.rsplit_once('/').is_some_and(|(directory, name)| DIRECTORIES.contains(&directory) && is_plain(name));
    FILES.contains(&path) || below
}

pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 128
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+@".contains(&b))
}
