//! What the reader of `template.conf` accepts has the value that bash gives it.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects by failing")]

use std::collections::BTreeMap;
use std::process::Command;

use domain::template::parse_conf;
use proptest::prelude::*;

/// Pieces that quoting is made of, far more often together than random text would have them.
const PIECES: &[&str] = &[
    "A=",
    "B=",
    "\nA=",
    "\nB=",
    "a",
    "b c",
    " ",
    "'",
    "\"",
    "\\",
    "$",
    "{",
    "}",
    "${A}",
    "${A:-",
    "${B-",
    "${A:-4}",
    "\"${B:-x y}\"",
    "'x y'",
    "#",
    " # note",
    ";",
    "; ",
    "\n",
    "\\\n",
    "$\\\n",
    "$A\\\n",
    "${A\\\n",
    "é",
    "~",
    "=",
    ":",
    "export ",
    "$A",
    "*",
    "[",
    "!",
    "%",
    "\\\"",
    "\\$",
];

fn by_bash(text: &str) -> BTreeMap<String, String> {
    let out = Command::new("bash")
        .args(["--norc", "-c", "eval \"$1\"; printf 'A=%s\\0B=%s\\0' \"${A-}\" \"${B-}\"", "bash", text])
        .env_clear()
        .output()
        .expect("bash is there");
    let text = String::from_utf8(out.stdout).unwrap();
    text.split_terminator('\0').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.into(), v.into())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, max_global_rejects: 400_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_accepted_has_the_value_of_bash(pieces in prop::collection::vec(prop::sample::select(PIECES), 1..9)) {
        let text = format!("A={}", pieces.concat());
        let (assignments, findings) = parse_conf(&text);
        prop_assume!(findings.is_empty());
        let mut ours = BTreeMap::from([("A".to_owned(), String::new()), ("B".to_owned(), String::new())]);
        for assignment in assignments {
            ours.insert(assignment.key, assignment.value);
        }
        prop_assume!(ours.len() == 2);
        prop_assert_eq!(ours, by_bash(&text), "{}", text);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}|[A-C=\"'$\\{\\}\\\\ \n:;#-]{0,60}") {
        let _ = parse_conf(&text);
    }
}
