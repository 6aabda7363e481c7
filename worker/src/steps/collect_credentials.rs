//! What the template's scripts saved for the owner: read, sealed, and known to the log by the ids of the rows alone.

use std::collections::BTreeMap;

use domain::{SealedId, StreamId};
use futures_util::future::BoxFuture;
use proxmox::shell::Command;
use serde_json::Value;

use crate::context::Context;
use crate::guest::guest_failure;
use crate::step::{Done, Step, StepError};

/// One file, or a directory of files; each line behind the name of the file that it stands in.
const READ: &str = r#"
base=/etc/infrahaus/credentials
if [ -f "$base" ]; then set -- "$base"; elif [ -d "$base" ]; then set -- "$base"/*; else exit 0; fi
for file; do
    [ -f "$file" ] || continue
    while IFS= read -r line || [ -n "$line" ]; do printf '%s\t%s\n' "${file##*/}" "$line"; done <"$file"
done
"#;

pub(super) struct CollectCredentials;

impl Step for CollectCredentials {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let guest = context.guest().await?;
            let output = guest.output(Command::new("sh").args(["-c", READ])).await.map_err(guest_failure)?;
            let found = credentials(&output.text());
            if found.is_empty() {
                return Done::with(&Vec::<SealedId>::new());
            }
            let stream = StreamId::new("container", context.container_id);
            let (id, row) = context.seal_json(&stream, "credentials", &found)?;
            Ok(Done::with(&[id])?.and_row(row))
        })
    }

    fn undo<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            for id in context.fact::<Vec<SealedId>>(domain::pipeline::StepName::CollectCredentials).unwrap_or_default()
            {
                context.forget(id).await?;
            }
            Ok(Done::nothing())
        })
    }
}

/// By service, then by key. A file's name is its service; a file without any `=` is one password.
fn credentials(text: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut found: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (file, line) in text.lines().filter_map(|line| line.split_once('\t')) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let service = [".json", ".txt", ".conf", ".env"].iter().find_map(|end| file.strip_suffix(end)).unwrap_or(file);
        let (key, value) = line.split_once('=').unwrap_or(("password", line));
        let value = value.trim().trim_matches(['"', '\'']);
        found.entry(service.to_owned()).or_default().insert(key.trim().to_owned(), value.to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_with_and_without_keys_are_read() {
        let found = credentials("db.env\tPASSWORD=\"a=b\"\ndb.env\t# note\ncode\thunter2\ncredentials\tA=1\n");
        assert_eq!(found["db"]["PASSWORD"], "a=b");
        assert_eq!(found["code"]["password"], "hunter2");
        assert_eq!(found["credentials"]["A"], "1");
    }
}
