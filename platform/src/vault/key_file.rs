//! Embedded mode needs nobody to think of a key: one is made beside the database and kept.

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Keys, KeysError, VaultError, new_key};

/// Keys from a file of our own.
#[derive(Debug, Clone)]
pub struct KeyFile {
    pub keys: Keys,
    pub path: PathBuf,
    /// It was not there before; somebody should hear of it.
    pub made: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error("the key file {path} can't be {what}: {source}")]
    Io { path: PathBuf, what: &'static str, source: io::Error },
    #[error(
        "the key file {path} is open to others (mode {mode:03o}): run `chmod 600 {path}`, and consider its keys known (`gantry keys new`, `gantry keys rotate`)"
    )]
    OpenToOthers { path: PathBuf, mode: u32 },
    #[error("the key file {path}: {source}")]
    Keys { path: PathBuf, source: KeysError },
    #[error(transparent)]
    New(#[from] VaultError),
}

impl Keys {
    /// The keys in `<database>.keys`; makes the file, for the owner's eyes only, when there is none.
    ///
    /// # Errors
    /// When it can't be read or written, others may read it, or no key is in it.
    pub fn file_beside(database: &Path) -> Result<KeyFile, KeyFileError> {
        let mut name = database.as_os_str().to_owned();
        name.push(".keys");
        let path = PathBuf::from(name);
        let made = make(&path)?;
        let failed = |what| {
            let path = path.clone();
            move |source| KeyFileError::Io { path, what, source }
        };
        let mode = fs::metadata(&path).map_err(failed("read"))?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::OpenToOthers { path, mode });
        }
        let text = Zeroizing::new(fs::read_to_string(&path).map_err(failed("read"))?);
        let keys = Self::parse(text.trim()).map_err(|source| KeyFileError::Keys { path: path.clone(), source })?;
        if made {
            tracing::warn!(path = %path.display(), "a new vault key was made: keep a copy of this file, without it no secret can be opened");
        }
        Ok(KeyFile { keys, path, made })
    }
}

/// True when it was not there. The file appears whole: a process beside us never reads half a key.
fn make(path: &Path) -> Result<bool, KeyFileError> {
    if path.exists() {
        return Ok(false);
    }
    let failed = |source| KeyFileError::Io { path: path.to_owned(), what: "written", source };
    let draft = path.with_extension(format!("keys-{}", Uuid::now_v7().simple()));
    let made = write(&draft, new_key()?.expose()).and_then(|()| match fs::hard_link(&draft, path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    });
    // Gone already when it could not be written.
    let _ = fs::remove_file(&draft);
    made.map_err(failed)
}

fn write(path: &Path, key: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{key}")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("gantry.db");
        let first = Keys::file_beside(&database).unwrap();
        assert!(first.made);
        assert_eq!(fs::metadata(&first.path).unwrap().permissions().mode() & 0o777, 0o600);
        let second = Keys::file_beside(&database).unwrap();
        assert!(!second.made);
        assert!(first.keys.names().eq(second.keys.names()));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn all_who_start_at_once_get_the_same_key() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("gantry.db");
        let names: Vec<Vec<String>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| Keys::file_beside(&database))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap().unwrap())
                .map(|file| file.keys.names().map(str::to_owned).collect())
                .collect()
        });
        assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
    }

    #[test]
    fn a_file_that_others_may_read_or_that_is_no_key_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("gantry.db");
        let path = Keys::file_beside(&database).unwrap().path;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = Keys::file_beside(&database).unwrap_err().to_string();
        assert!(refused.contains("640") && refused.contains("chmod 600"), "{refused}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "half a key").unwrap();
        assert!(matches!(Keys::file_beside(&database), Err(KeyFileError::Keys { .. })));
        assert!(Keys::file_beside(Path::new("/nowhere/gantry.db")).unwrap_err().to_string().contains("/nowhere"));
    }
}
