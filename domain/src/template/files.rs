//! `files/<name>` with its `.path`, `.policy`, `.mode` and `.owner` beside it.

use serde::{Deserialize, Serialize};

use super::Finding;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateFile {
    pub name: String,
    /// The directory in the guest.
    pub directory: String,
    pub policy: FilePolicy,
    pub mode: Option<u32>,
    /// `user` or `user:group`, names as the guest knows them; the directory's owner when absent.
    pub owner: Option<String>,
    #[serde(with = "text_or_bytes")]
    pub content: Vec<u8>,
}

/// What happens when the file is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilePolicy {
    Replace,
    /// Leave the one that is there alone.
    Default,
    /// Move the one that is there to `<name>.backup-YYYYMMDD-HHMMSS` first.
    Backup,
}

impl TemplateFile {
    #[must_use]
    pub fn target(&self) -> String {
        format!("{}/{}", self.directory.trim_end_matches('/'), self.name)
    }
}

/// The texts of the files beside the content; absent ones are `None`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside<'a> {
    pub path: Option<&'a str>,
    pub policy: Option<&'a str>,
    pub mode: Option<&'a str>,
    pub owner: Option<&'a str>,
}

/// # Errors
/// Everything that is wrong with the side files, each finding with its file's name.
pub fn file_from_parts(name: &str, content: Vec<u8>, beside: Beside<'_>) -> Result<TemplateFile, Vec<Finding>> {
    let mut findings = Vec::new();
    let mut wrong = |side: &str, problem: String, fix: &str| {
        findings.push(Finding::error(1, problem, fix).in_file(&format!("files/{name}{side}")));
    };
    let directory = one_line(beside.path).unwrap_or_default().to_owned();
    if directory.is_empty() {
        wrong(".path", format!("{name} has no target directory"), "write the directory into it, one line: /etc/nginx");
    } else if !directory.starts_with('/') || directory.split('/').any(|part| part == "..") {
        wrong(".path", format!("{directory} is not an absolute directory"), "start it with / and leave out ..");
    }
    let policy = match one_line(beside.policy) {
        None | Some("default") => FilePolicy::Default,
        Some("replace") => FilePolicy::Replace,
        Some("backup") => FilePolicy::Backup,
        Some(other) => {
            wrong(".policy", format!("{other} is no policy"), "write replace, default or backup");
            FilePolicy::Default
        }
    };
    let mode = match one_line(beside.mode) {
        None => None,
        Some(text) => {
            let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
            if mode.is_none() {
                wrong(".mode", format!("{text} is no mode"), "write it in octal: 0644");
            }
            mode
        }
    };
    let owner = one_line(beside.owner).map(str::to_owned);
    if let Some(owner) = &owner
        && !is_owner(owner)
    {
        wrong(".owner", format!("{owner} is no owner"), "write user or user:group");
    }
    if findings.is_empty() {
        Ok(TemplateFile { name: name.to_owned(), directory, policy, mode, owner, content })
    } else {
        Err(findings)
    }
}

fn one_line(text: Option<&str>) -> Option<&str> {
    text.map(|t| t.trim_start_matches('\u{feff}').trim()).filter(|t| !t.is_empty())
}

fn is_owner(text: &str) -> bool {
    let name = |n: &str| {
        !n.is_empty()
            && !n.starts_with('-')
            && n.len() <= 32
            && n.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    match text.split_once(':') {
        Some((user, group)) => name(user) && name(group),
        None => name(text),
    }
}

mod text_or_bytes {
    //! Text stays readable in the stored template; only what is not UTF-8 is encoded.
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Stored {
        Text(String),
        Binary { bytes: Vec<u8> },
    }

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) => text.serialize(serializer),
            Err(_) => Stored::Binary { bytes: bytes.to_vec() }.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        Ok(match Stored::deserialize(deserializer)? {
            Stored::Text(text) => text.into_bytes(),
            Stored::Binary { bytes } => bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beside<'a>(path: &'a str, policy: &'a str) -> Beside<'a> {
        Beside { path: Some(path), policy: Some(policy), ..Beside::default() }
    }

    #[test]
    fn side_files_say_where_and_how() {
        let file = file_from_parts("gitconfig", b"x".to_vec(), beside("/home/coder\n", "backup\n")).unwrap();
        assert_eq!((file.target().as_str(), file.policy), ("/home/coder/gitconfig", FilePolicy::Backup));
    }

    #[test]
    fn each_wrong_side_file_is_named() {
        let beside = Beside { path: Some("../x"), policy: Some("merge"), mode: Some("9"), owner: Some("-r") };
        let findings = file_from_parts("a", vec![], beside).unwrap_err();
        let files: Vec<_> = findings.iter().map(|f| f.file.as_str()).collect();
        assert_eq!(files, ["files/a.path", "files/a.policy", "files/a.mode", "files/a.owner"]);
    }

    #[test]
    fn content_that_is_no_text_survives_storage() {
        let file = file_from_parts("a", vec![0, 255, 7], beside("/a", "replace")).unwrap();
        let stored = serde_json::to_string(&file).unwrap();
        assert_eq!(serde_json::from_str::<TemplateFile>(&stored).unwrap(), file);
    }
}
