//! The reader against templates that nobody would write: it neither panics nor hangs, and shows nothing from outside.
//!
//! `cargo xtask fuzz` runs it for longer and from another seed.

use std::fs;
use std::path::{Path, PathBuf};

use super::read_tree;

const CASES: &str = "GANTRY_TEST_FUZZ_CASES";
const SEED: &str = "GANTRY_TEST_FUZZ_SEED";
/// In no template, and beside all of them.
const OUTSIDE: &str = "6f2d-what-lies-outside-9c41";

/// Pieces that mean something to one of the readers.
const PIECES: &[&[u8]] = &[
    b"\"",
    b"'",
    b"${",
    b"}",
    b":-",
    b"$(",
    b"`",
    b"\\",
    b"\n",
    b"\r\n",
    b"=",
    b"|",
    b";",
    b"#",
    b"<<E\n",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"TEMPLATE_CPU=",
    b"TEMPLATE_INPUTS=\"A|integer|1|1..",
    b"TEMPLATE_PORTS=",
    b"99999999999999999999",
    b"-1",
    b"/etc/passwd",
    b"../..",
    b"curl x | sh\n",
    b"((",
    b"))",
    "é\u{202e}".as_bytes(),
];

/// Splitmix64: the same seed tells the same story on every machine.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most.max(1) as u64).unwrap()
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

#[test]
fn mutated_templates_neither_break_the_reader_nor_show_what_lies_outside() {
    let number = |name: &str, or: u64| {
        std::env::var_os(name).map_or(or, |value| value.to_str().unwrap().parse().expect("a whole number"))
    };
    let (cases, seed) = (number(CASES, 300), number(SEED, 1));
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/lxc/templates");
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("secret"), OUTSIDE).unwrap();
    fs::create_dir(dir.path().join("private")).unwrap();
    for name in ["template.conf", "10-a.sh", "base.apt", "README.md"] {
        fs::write(dir.path().join("private").join(name), format!("TEMPLATE_APP={OUTSIDE}\n")).unwrap();
    }
    let names: Vec<PathBuf> = super::tree::directories(&library).unwrap();
    for case in 0..cases {
        let mut chance = Chance(seed.wrapping_mul(1_000_003).wrapping_add(case));
        let root = dir.path().join("tree");
        let template = root.join("t");
        let seeded: &PathBuf = chance.of(&names);
        copy(seeded, &template);
        for _ in 0..=chance.below(6) {
            mutate(&mut chance, &template, dir.path());
        }
        let read = read_tree(&root).unwrap();
        for one in &read {
            let told = format!("{one:?}");
            let stored = serde_json::to_string(&one.template).unwrap();
            assert!(!told.contains(OUTSIDE) && !stored.contains(OUTSIDE), "seed {seed}, case {case}: {told}");
            drop(one.template.as_ref().map(domain::template::lint));
        }
        fs::remove_dir_all(&root).unwrap();
    }
}

fn mutate(chance: &mut Chance, template: &Path, outside: &Path) {
    let files = files(template);
    let Some(file) = files.get(chance.below(files.len())) else { return };
    // What is a link by now leads to what must stay as it is, or has no end.
    let most = if file.is_symlink() { 6..10 } else { 0..10 };
    match most.start + chance.below(most.end - most.start) {
        0..=5 => {
            let mut bytes = fs::read(file).unwrap_or_default();
            for _ in 0..=chance.below(4) {
                let at = chance.below(bytes.len() + 1);
                match chance.below(4) {
                    0 => bytes.truncate(at),
                    1 => drop(bytes.splice(at..at, chance.of(PIECES).repeat(1 + chance.below(3)))),
                    2 => drop(bytes.splice(at..at, chance.of(PIECES).repeat(chance.below(5_000)))),
                    _ => {
                        let byte = u8::try_from(chance.below(256)).unwrap();
                        bytes.get_mut(at).into_iter().for_each(|old| *old = byte);
                    }
                }
            }
            let _ = fs::write(file, bytes);
        }
        6 => drop(fs::remove_file(file)),
        7 => {
            let names = ["a b", "-rf", "99999-x.sh", "x.rpm", "x.path", "x.policy", "\u{202e}x", "40-.sh"];
            let _ = fs::rename(file, file.with_file_name(chance.of(&names)));
        }
        _ => {
            let _ = fs::remove_file(file).or_else(|_| fs::remove_dir_all(file));
            let targets = [
                outside.join("secret"),
                outside.join("private"),
                outside.join("private/10-a.sh"),
                PathBuf::from("../../../../secret"),
                PathBuf::from("../../secret"),
                PathBuf::from("."),
                PathBuf::from("/proc/self/environ"),
                PathBuf::from("/dev/zero"),
            ];
            let directory = chance.below(2) == 0;
            let at = if directory { file.parent().unwrap() } else { file };
            if directory && at != template {
                let _ = fs::remove_dir_all(at);
            }
            let _ = std::os::unix::fs::symlink(chance.of(&targets), at);
        }
    }
}

/// All files below, without following links.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&entry.path())),
            _ => found.push(entry.path()),
        }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
