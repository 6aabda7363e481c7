use super::*;
use crate::catalogue::{read_tree, version_of};
use std::fs;

pub(crate) fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    dir
}

#[test]
fn a_whole_template_is_read_and_has_a_version() {
    let files = [
        ("web/template.conf", "TEMPLATE_APP=Web\nTEMPLATE_PORTS=80\n"),
        ("web/README.md", "# Web"),
        ("web/container-configs/scripts/40-b.sh", "echo b"),
        ("web/container-configs/scripts/10-a.sh", "echo a"),
        ("web/container-configs/packages/base.apt", "nginx\n"),
        ("web/container-configs/files/index.html", "hi"),
        ("web/container-configs/files/index.html.path", "/var/www/html"),
    ];
    let (one, two) = (tree(&files), tree(&files));
    let read = read_template(&one.path().join("web"));
    assert_eq!(read.findings, []);
    let template = read.template.unwrap();
    assert_eq!(template.scripts.iter().map(|s| s.order).collect::<Vec<_>>(), [10, 40]);
    assert_eq!(version_of(&template), version_of(&read_template(&two.path().join("web")).template.unwrap()));
    fs::write(one.path().join("web/container-configs/files/index.html"), "ho").unwrap();
    assert_ne!(version_of(&template), version_of(&read_template(&one.path().join("web")).template.unwrap()));
}

#[test]
fn a_broken_template_is_listed_with_its_reason_and_hides_no_other() {
    let dir = tree(&[
        ("bad/template.conf", "TEMPLATE_APP=$(id)\n"),
        ("empty/x", ""),
        ("good/template.conf", "TEMPLATE_APP=g"),
    ]);
    let read = read_tree(dir.path()).unwrap();
    assert_eq!(
        read.iter().map(|r| (r.name.as_str(), r.template.is_some())).collect::<Vec<_>>(),
        [("bad", false), ("empty", false), ("good", true)]
    );
    assert_eq!((read[0].findings[0].file.as_str(), read[0].findings[0].line), ("template.conf", 1));
}

#[cfg(unix)]
#[test]
fn a_link_does_not_lead_out() {
    let dir =
        tree(&[("secret", "s"), ("t/template.conf", "TEMPLATE_APP=t"), ("t/container-configs/files/x.path", "/etc")]);
    std::os::unix::fs::symlink("../../../secret", dir.path().join("t/container-configs/files/x")).unwrap();
    let read = read_template(&dir.path().join("t"));
    assert!(read.template.is_none());
    assert!(read.findings[0].problem.contains("leads out"), "{:?}", read.findings);
}

#[test]
fn huge_and_binary_files_are_told() {
    let big = "x".repeat((1 << 20) + 1);
    let dir = tree(&[
        ("t/template.conf", "TEMPLATE_APP=t"),
        ("t/container-configs/scripts/10-a.sh", "a\0b"),
        ("t/README.md", &big),
    ]);
    let told: Vec<_> = read_template(&dir.path().join("t")).findings.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|t| t.contains("10-a.sh") && t.contains("not UTF-8")), "{told:?}");
    assert!(told.iter().any(|t| t.contains("README.md") && t.contains("larger")), "{told:?}");
}

#[cfg(unix)]
#[test]
fn a_linked_directory_is_refused_when_it_leads_out_of_the_tree() {
    use std::os::unix::fs::symlink;
    let dir = tree(&[
        ("elsewhere/private/template.conf", "TEMPLATE_APP=p"),
        ("tree/web/template.conf", "TEMPLATE_APP=w"),
        ("tree/deep/inner/template.conf", "TEMPLATE_APP=d"),
    ]);
    let root = dir.path().join("tree");
    symlink("../elsewhere/private", root.join("stolen")).unwrap();
    symlink(dir.path().join("elsewhere"), root.join("elsewhere")).unwrap();
    symlink("web", root.join("alias")).unwrap();
    symlink("deep/inner", root.join("within")).unwrap();
    symlink("nothing", root.join("dangling")).unwrap();
    symlink(".", root.join("itself")).unwrap();
    let read = read_tree(&root).unwrap();
    let told: Vec<_> = read.iter().map(|r| (r.name.as_str(), r.findings.first().map(|f| f.problem.as_str()))).collect();
    let (out, none) =
        (Some("is a link that leads out of the directory of templates"), Some("there is no template.conf"));
    assert_eq!(
        told,
        [
            ("alias", None),
            ("dangling", Some("is a link to nothing")),
            ("deep", none),
            ("elsewhere", out),
            ("itself", out),
            ("stolen", out),
            ("web", None),
            ("within", out),
        ]
    );
    assert!(read_template(&dir.path().join("elsewhere/private")).template.is_some(), "whoever names it may read it");
}

#[cfg(unix)]
#[test]
fn linked_parts_directories_and_special_files_are_no_way_out() {
    use std::os::unix::fs::symlink;
    let dir =
        tree(&[("outside/10-a.sh", "echo secret"), ("t/template.conf", "TEMPLATE_APP=t"), ("t/own/1-b.sh", "echo b")]);
    let t = dir.path().join("t");
    fs::create_dir(t.join("container-configs")).unwrap();
    symlink("../../outside", t.join("container-configs/scripts")).unwrap();
    let read = read_template(&t);
    assert!(read.template.is_none() && read.findings[0].problem.contains("leads out"), "{:?}", read.findings);
    fs::remove_file(t.join("container-configs/scripts")).unwrap();
    symlink("../own", t.join("container-configs/scripts")).unwrap();
    assert_eq!(read_template(&t).template.unwrap().scripts[0].name, "1-b.sh");
    fs::create_dir_all(t.join("container-configs/files/nested")).unwrap();
    let read = read_template(&t);
    assert!(read.findings.iter().any(|f| f.problem == "is not a file"), "{:?}", read.findings);
}

#[test]
fn odd_names_windows_files_and_too_much_are_told() {
    let dir = tree(&[
        ("t/template.conf", "\u{feff}TEMPLATE_APP=t\r\n"),
        ("t/container-configs/scripts/10-a.sh", "#!/bin/sh\r\necho a\r\n"),
        ("t/container-configs/files/a b", "x"),
        ("t/container-configs/packages/base.apt", "\u{feff}curl\r\ngit\r\n"),
    ]);
    let read = read_template(&dir.path().join("t"));
    let told: Vec<_> = read.findings.iter().map(ToString::to_string).collect();
    for (file, problem) in [
        ("template.conf", "byte order mark"),
        ("template.conf", "CRLF"),
        ("10-a.sh", "CRLF"),
        ("container-configs/files", "odd characters"),
    ] {
        assert!(told.iter().any(|t| t.contains(file) && t.contains(problem)), "{file} {problem}: {told:?}");
    }
    let many: Vec<_> = (0..9).map(|n| (format!("t/container-configs/files/f{n}"), "x".repeat(1 << 20))).collect();
    let many: Vec<_> = many.iter().map(|(path, content)| (path.as_str(), content.as_str())).collect();
    let dir = tree(&[&[("t/template.conf", "TEMPLATE_APP=t")], many.as_slice()].concat());
    let read = read_template(&dir.path().join("t"));
    assert!(read.findings.iter().any(|f| f.problem.contains("8 MiB")), "{:?}", read.findings);
}

#[test]
fn buckets_are_shared_by_templates_and_taken_along() {
    let dir = tree(&[
        ("buckets/editors.apt", "vim\nnano\n"),
        ("buckets/editors.apk", "vim\n"),
        ("buckets/secret.txt", "no list"),
        ("tree/one/template.conf", "TEMPLATE_APP=one\nTEMPLATE_BUCKETS=editors\n"),
        ("tree/two/template.conf", "TEMPLATE_APP=two\nTEMPLATE_BUCKETS=\"editors\"\n"),
        ("tree/two/buckets/editors.apt", "ed\n"),
        ("tree/bad/template.conf", "TEMPLATE_APP=bad\nTEMPLATE_BUCKETS=none\n"),
        ("tree/odd/template.conf", "TEMPLATE_APP=odd\nTEMPLATE_BUCKETS=../etc\n"),
    ]);
    let read = |name: &str| read_template(&dir.path().join("tree").join(name));
    let names = |name: &str| -> Vec<String> {
        read(name).template.unwrap().packages.iter().map(|list| list.name.clone()).collect()
    };
    assert_eq!(names("one"), ["buckets/editors.apk", "buckets/editors.apt"]);
    assert_eq!(names("two"), ["buckets/editors.apt"], "its own comes first");
    assert!(read("bad").findings[0].problem.contains("no bucket none"), "{:?}", read("bad").findings);
    assert!(read("odd").findings[0].problem.contains("no bucket's name"), "{:?}", read("odd").findings);

    let one = read("one").template.unwrap();
    let files = template_files(&dir.path().join("tree/one")).unwrap();
    assert_eq!(
        files.keys().map(String::as_str).collect::<Vec<_>>(),
        ["buckets/editors.apk", "buckets/editors.apt", "template.conf"]
    );
    let unpacked = read_files("one", files).template.unwrap();
    assert_eq!(version_of(&unpacked), version_of(&one));
    fs::write(dir.path().join("buckets/editors.apt"), "emacs\n").unwrap();
    assert_ne!(version_of(&read("one").template.unwrap()), version_of(&one), "who shares it has another version");
}
