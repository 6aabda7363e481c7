//! Keeping the state in a directory: one file, replaced as a whole.

use std::io::Write;
use std::path::Path;

use super::State;

const FILE: &str = "cluster.json";

/// Reads what was kept; none when nothing was.
///
/// # Errors
/// When it is there and cannot be read.
pub(crate) fn load(dir: &Path) -> std::io::Result<Option<State>> {
    match std::fs::read(dir.join(FILE)) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(std::io::Error::other),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Replaces what is kept.
///
/// # Errors
/// When the disk does not take it.
pub(crate) fn save(dir: &Path, state: &State) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(&serde_json::to_vec(state).map_err(std::io::Error::other)?)?;
    file.as_file().sync_data()?;
    file.persist(dir.join(FILE)).map_err(|error| error.error)?;
    Ok(())
}
