use super::*;

fn value(text: &str) -> String {
    let (seen, findings) = parse(text);
    assert_eq!(findings, [], "{text}");
    seen.last().unwrap().value.clone()
}

fn refused(text: &str) -> Finding {
    let (_, findings) = parse(text);
    findings.into_iter().next().unwrap_or_else(|| panic!("{text} was read"))
}

#[test]
fn values_are_those_of_bash() {
    assert_eq!(value("A=plain"), "plain");
    assert_eq!(value("A='sin $gle' # why"), "sin $gle");
    assert_eq!(value(r#"A="dou\"ble \$ \n""#), r#"dou"ble $ \n"#);
    assert_eq!(value(r"A=a\ b'c'"), "a bc");
    assert_eq!(value("A=\"${TEMPLATE_CPU:-4}\""), "4");
    assert_eq!(value("A=1\nB=${A:-2}$A"), "11");
    assert_eq!(value("A=\nB=${A:-2}${A-3}"), "2");
    assert_eq!(value("A=\"${B:-it's ${C:-nested}}\""), "it's nested");
    assert_eq!(value("export A=x; B=y"), "y");
    assert_eq!(value("A=\"two\nlines\""), "two\nlines");
    assert_eq!(value("A=1\nAB=2\nC=$A\\\nB"), "2");
    assert_eq!(value("A=1\nB=\"$\\\nA${A\\\n}\""), "11");
}

#[test]
fn what_only_a_shell_could_know_is_refused_with_its_line() {
    assert_eq!(refused("A=1\nB=$(id)").line, 2);
    assert_eq!(refused("A=`id`").line, 1);
    assert!(refused("TAGS=web;node").fix.contains("quote"));
    assert!(refused("A=two words").fix.contains("quote"));
    assert!(refused("A=$HOME").fix.contains(":-"));
    assert!(refused("echo hi").problem.contains("KEY=VALUE"));
    assert!(refused("A=\"open").problem.contains("never closed"));
}

#[test]
fn a_bad_line_hides_no_other() {
    let (seen, findings) = parse("A=1\nB=$(id)\nC=3\n");
    assert_eq!(seen.iter().map(|a| a.key.as_str()).collect::<Vec<_>>(), ["A", "C"]);
    assert_eq!(findings.len(), 1);
}

#[test]
fn windows_files_are_read_and_told() {
    let (seen, findings) = parse("\u{feff}A=1\r\nB=2\r\n");
    assert_eq!((seen[0].value.as_str(), seen[1].value.as_str()), ("1", "2"));
    assert_eq!(findings.len(), 2);
}

#[test]
fn what_was_made_to_exhaust_the_reader_is_refused() {
    assert!(refused(&"A=${A:-".repeat(100_000)).problem.contains("inside each other"));
    let doubling = format!("A=0123456789\n{}", "A=$A$A\n".repeat(64));
    assert!(refused(&doubling).problem.contains("64 KiB"));
    assert_eq!(parse(&"; ; ;\n".repeat(100_000)).1.len(), MOST_FINDINGS + 1);
    assert_eq!(parse(&"A=1\n".repeat(100_000)).0.len(), MOST_ASSIGNMENTS);
}
