//! A template as one file: a .tar.gz that is the same, byte for byte, wherever and whenever it is made.

use std::io::{Read as _, Write as _};

use flate2::{Compression, bufread::GzDecoder, write::GzEncoder};

use super::Files;

const BLOCK: usize = 512;
/// More than a template may hold, with what surrounds it.
const UNPACKED_LIMIT: u64 = 16 << 20;

#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("is no .tar.gz: {0}; make it with `gantry template pack`")]
    Unreadable(std::io::Error),
    #[error("unpacks to more than 16 MiB; a template has no use for that")]
    TooLarge,
    #[error("is damaged; make it again with `gantry template pack`")]
    Damaged,
    #[error("holds {0:?}, which is no plain file below one directory; make it with `gantry template pack`")]
    Stray(String),
    #[error("the path {0} is too long; shorten the file's name")]
    LongPath(String),
}

/// All files below a directory of the template's name, in their order, of nobody and of no time.
///
/// # Errors
/// When a path is longer than such a file can hold.
pub fn pack(name: &str, files: &Files) -> Result<Vec<u8>, ArchiveError> {
    let mut tar = Vec::new();
    for (path, content) in files {
        tar.extend(header(&format!("{name}/{path}"), content.len())?);
        tar.extend(content);
        tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    }
    tar.resize(tar.len() + 2 * BLOCK, 0);
    // No name and no time in the head of the compressed file either: that is this encoder's way.
    let mut gz = GzEncoder::new(Vec::new(), Compression::best());
    gz.write_all(&tar).map_err(ArchiveError::Unreadable)?;
    gz.finish().map_err(ArchiveError::Unreadable)
}

/// The name of the directory, and the files by their paths in it. Nothing is written anywhere.
///
/// # Errors
/// When it is no archive of plain files below one directory.
pub fn unpack(packed: &[u8]) -> Result<(String, Files), ArchiveError> {
    let mut tar = Vec::new();
    let read = GzDecoder::new(packed).take(UNPACKED_LIMIT + 1).read_to_end(&mut tar);
    read.map_err(ArchiveError::Unreadable)?;
    if tar.len() as u64 > UNPACKED_LIMIT {
        return Err(ArchiveError::TooLarge);
    }
    let (mut root, mut files, mut rest) = (None::<String>, Files::new(), tar.as_slice());
    while let Some((head, behind)) = rest.split_at_checked(BLOCK).filter(|(head, _)| head.iter().any(|b| *b != 0)) {
        let path = text(&head[..100])?;
        let size = usize::from_str_radix(&text(&head[124..136])?, 8).map_err(|_| ArchiveError::Damaged)?;
        if number(&head[148..156])? != checksum(head) {
            return Err(ArchiveError::Damaged);
        }
        let padded = size.checked_next_multiple_of(BLOCK).ok_or(ArchiveError::Damaged)?;
        let (content, behind) = behind.split_at_checked(padded).ok_or(ArchiveError::Damaged)?;
        rest = behind;
        match head[156] {
            // What other tools put in: directories, and notes on the files.
            b'5' | b'g' | b'x' => {}
            b'0' | 0 if text(&head[345..500])?.is_empty() => {
                let path = path.strip_prefix("./").unwrap_or(&path);
                let stray = || ArchiveError::Stray(path.to_owned());
                let (directory, inside) = path.split_once('/').ok_or_else(stray)?;
                let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
                let same = root.get_or_insert_with(|| directory.to_owned()) == directory;
                if !same || !plain(directory) || !inside.split('/').all(plain) {
                    return Err(stray());
                }
                files.insert(inside.to_owned(), content[..size].to_vec());
            }
            _ => return Err(ArchiveError::Stray(path)),
        }
    }
    root.map(|root| (root, files)).ok_or(ArchiveError::Damaged)
}

/// As POSIX has it since 1988.
fn header(path: &str, size: usize) -> Result<[u8; BLOCK], ArchiveError> {
    let mut head = [0; BLOCK];
    let mut put = |at: usize, text: &str| {
        for (to, from) in head[at..].iter_mut().zip(text.bytes()) {
            *to = from;
        }
    };
    if path.len() > 100 {
        return Err(ArchiveError::LongPath(path.to_owned()));
    }
    put(0, path);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{size:011o}"));
    put(136, "00000000000");
    put(156, "0");
    put(257, "ustar");
    put(263, "00");
    let sum = checksum(&head);
    let digits = format!("{sum:06o}\0 ");
    head[148..156].copy_from_slice(digits.as_bytes());
    Ok(head)
}

/// The sum of all bytes, its own place taken as blanks.
fn checksum(head: &[u8]) -> u32 {
    let own = 148..156;
    head.iter().enumerate().map(|(at, byte)| if own.contains(&at) { 32 } else { u32::from(*byte) }).sum()
}

fn number(field: &[u8]) -> Result<u32, ArchiveError> {
    u32::from_str_radix(&text(field)?, 8).map_err(|_| ArchiveError::Damaged)
}

fn text(field: &[u8]) -> Result<String, ArchiveError> {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    let text = std::str::from_utf8(&field[..end]).map_err(|_| ArchiveError::Damaged)?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        [("template.conf", "TEMPLATE_APP=Web\n"), ("container-configs/scripts/10-a.sh", ""), ("README.md", "# Web\n")]
            .map(|(path, content)| (path.to_owned(), content.as_bytes().to_vec()))
            .into()
    }

    #[test]
    fn what_is_packed_comes_out_again_and_is_always_the_same() {
        let packed = pack("web", &files()).unwrap();
        assert_eq!(packed, pack("web", &files()).unwrap());
        assert_eq!(unpack(&packed).unwrap(), ("web".to_owned(), files()));
        let other = [("big", vec![7; 70_000])].map(|(path, content)| (path.to_owned(), content)).into();
        assert_eq!(unpack(&pack("x", &other).unwrap()).unwrap().1, other);
        assert!(matches!(pack(&"n".repeat(100), &files()), Err(ArchiveError::LongPath(_))));
    }

    #[test]
    fn the_tools_of_the_system_read_it_and_are_read() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("web.tar.gz"), pack("web", &files()).unwrap()).unwrap();
        let tar = |arguments: &[&str]| {
            let done = std::process::Command::new("tar").current_dir(dir.path()).args(arguments).output().unwrap();
            assert!(done.status.success(), "{done:?}");
            String::from_utf8(done.stdout).unwrap()
        };
        let listed = tar(&["tzf", "web.tar.gz"]);
        let expected = ["web/README.md", "web/container-configs/scripts/10-a.sh", "web/template.conf"];
        assert_eq!(listed.lines().collect::<Vec<_>>(), expected);
        tar(&["xzf", "web.tar.gz"]);
        tar(&["czf", "again.tar.gz", "web"]);
        let again = std::fs::read(dir.path().join("again.tar.gz")).unwrap();
        assert_eq!(unpack(&again).unwrap(), ("web".to_owned(), files()));
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("web/link")).unwrap();
        tar(&["czf", "link.tar.gz", "web"]);
        let link = std::fs::read(dir.path().join("link.tar.gz")).unwrap();
        assert!(matches!(unpack(&link), Err(ArchiveError::Stray(path)) if path == "web/link"));
    }

    #[test]
    fn what_leads_elsewhere_is_cut_short_or_swells_is_refused() {
        for path in ["../x", "/etc/x", "web/../../x", "web//x", "alone"] {
            let mut tar = header(path, 0).unwrap().to_vec();
            tar.resize(3 * BLOCK, 0);
            let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
            gz.write_all(&tar).unwrap();
            assert!(matches!(unpack(&gz.finish().unwrap()), Err(ArchiveError::Stray(_))), "{path}");
        }
        let swelling = [("a".to_owned(), vec![0; 17 << 20])].into();
        assert!(matches!(unpack(&pack("web", &swelling).unwrap()), Err(ArchiveError::TooLarge)));
        let packed = pack("web", &files()).unwrap();
        for cut in 0..packed.len() {
            drop(unpack(&packed[..cut]));
            let mut bent = packed.clone();
            bent[cut] ^= 0x55;
            drop(unpack(&bent));
        }
        assert!(unpack(b"no archive").is_err());
    }
}
