//! The templates that come with the product, and the tools of those who write their own.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod run;

use std::path::{Path, PathBuf};

use run::{Call, gantry, json};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn here(arguments: &[&str]) -> Call {
    gantry(arguments).dir(&repository())
}

fn library() -> Vec<String> {
    let entries = std::fs::read_dir(repository().join("infra/lxc/templates")).unwrap().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    assert!(names.len() >= 12, "{names:?}");
    names
}

fn half_of_the_library_works(half: usize) {
    let names = library();
    let names: Vec<&str> = names.iter().map(String::as_str).skip(half).step_by(2).collect();
    let ran = here(&[&["template", "test"][..], &names].concat()).run();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    for name in names {
        assert!(
            ran.stdout.contains(&format!("✓ {name} does what it says, and the second time nothing")),
            "{name}: {}",
            ran.stdout
        );
    }
}

#[test]
fn the_first_half_of_the_library_works() {
    half_of_the_library_works(0);
}

#[test]
fn the_second_half_of_the_library_works() {
    half_of_the_library_works(1);
}

#[test]
fn the_library_is_clean() {
    let checked = std::process::Command::new("shellcheck").arg("--version").output();
    assert!(checked.is_ok(), "shellcheck is not there; `cargo xtask test` installs it");
    let found = json(here(&["template", "lint", "--strict", "--json"]));
    assert_eq!(found.as_array().unwrap().len(), library().len());
    assert!(found.as_array().unwrap().iter().all(|one| one["findings"].as_array().unwrap().is_empty()), "{found}");
}

#[test]
fn a_template_is_begun_linted_compared_and_tried() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().to_str().unwrap();
    let new = |name: &str| gantry(&["template", "new", name, "--root", root]).dir(dir.path()).run();
    assert_eq!(new("one").code, 0);
    assert!(new("one").stderr.contains("there already"));
    assert_eq!(new("No Name").code, 2);
    assert_eq!(new("two").code, 0);
    let call = |arguments: &[&str]| gantry(arguments).dir(dir.path());
    let clean = call(&["template", "lint", "one", "--strict"]).run();
    assert_eq!(clean.code, 0, "what one begins with is clean: {}{}", clean.stdout, clean.stderr);
    let tried = call(&["template", "test", "one", "--input", "GREETING=hi"]).run();
    assert_eq!(tried.code, 0, "{}{}", tried.stdout, tried.stderr);

    // What writes each time without a look is told by what it changed.
    let careless = dir.path().join("one/container-configs/scripts/60-careless.sh");
    std::fs::write(&careless, "#!/bin/sh\necho again >>/etc/careless\nchmod 0600 /etc/greeting\n").unwrap();
    let told = call(&["template", "test", "one"]).run();
    assert_eq!(told.code, 1, "{}{}", told.stdout, told.stderr);
    assert!(told.stderr.contains("/etc/careless: has another content"), "{}", told.stderr);
    assert!(!told.stderr.contains("greeting"), "it was so after the first run: {}", told.stderr);
    std::fs::remove_file(careless).unwrap();

    let script = dir.path().join("two/container-configs/scripts/50-more.sh");
    std::fs::write(script, "#!/bin/sh\ncurl -s https://example.org/x | sh\n").unwrap();
    std::fs::write(dir.path().join("two/container-configs/files/motd.policy"), "sometimes\n").unwrap();
    let bad = call(&["template", "lint", "two"]).run();
    assert_eq!(bad.code, 1);
    assert!(bad.stdout.contains("motd.policy:1") && bad.stdout.contains("sometimes"), "{}", bad.stdout);
    std::fs::write(dir.path().join("two/container-configs/files/motd.policy"), "default\n").unwrap();
    let warned = call(&["template", "lint", "two"]).run();
    assert!(warned.code == 0 && warned.stdout.contains("50-more.sh:2"), "{}", warned.stdout);
    assert_eq!(call(&["template", "lint", "two", "--strict"]).run().code, 1);

    let annotated = call(&["template", "lint", "two", "--format", "github"]).run().stdout;
    let expected = "::warning file=two/container-configs/scripts/50-more.sh,line=2::runs what it fetches";
    assert!(annotated.lines().any(|line| line.starts_with(expected)), "{annotated}");
    let machine = call(&["template", "lint", "two", "--format", "json"]).run().stdout;
    let machine: serde_json::Value = serde_json::from_str(&machine).unwrap();
    assert_eq!((&machine[0]["template"], &machine[0]["findings"][0]["line"]), (&"two".into(), &2.into()), "{machine}");

    let differences = json(call(&["template", "diff", "one", "two", "--json"]));
    let told: Vec<_> = differences.as_array().unwrap().iter().map(|d| d["name"].as_str().unwrap()).collect();
    for name in ["50-more.sh", "/etc/motd"] {
        assert!(told.contains(&name), "{told:?}");
    }
}

#[test]
fn a_template_is_shown_packed_and_unpacked_to_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let shown = here(&["template", "show", "postgresql"]).run();
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    for part in ["PostgreSQL", "5432/tcp", "apt/", "85-database.sh", "debian"] {
        assert!(shown.stdout.contains(part), "{part}: {}", shown.stdout);
    }
    let version = json(here(&["template", "show", "postgresql", "--json"]))["version"].as_str().unwrap().to_owned();
    assert!(shown.stdout.contains(&version));

    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let packed = json(here(&["template", "pack", "postgresql", "--to", &file("one.tar.gz"), "--json"]));
    assert_eq!(packed["version"].as_str(), Some(version.as_str()));
    let into = json(here(&["template", "pack", &file("one.tar.gz"), "--into", &file("tree"), "--json"]));
    assert_eq!(into["version"].as_str(), Some(version.as_str()));
    let again = json(here(&["template", "pack", &file("tree/postgresql"), "--to", &file("two.tar.gz"), "--json"]));
    assert_eq!(again["version"].as_str(), Some(version.as_str()));
    let read = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
    assert_eq!(read("one.tar.gz"), read("two.tar.gz"), "byte for byte");
    let taken = here(&["template", "pack", &file("one.tar.gz"), "--into", &file("tree")]).run();
    assert!(taken.code == 1 && taken.stderr.contains("there already"), "{}", taken.stderr);
}

/// The same template for each family of systems: its own package manager, its own image, the same words in the scripts.
#[test]
fn templates_work_on_every_family_of_systems() {
    let dir = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    for (os, version, id) in [
        ("debian", "12", "debian"),
        ("ubuntu", "24.04", "ubuntu"),
        ("alpine", "3.22", "alpine"),
        ("rockylinux", "9", "rocky"),
    ] {
        let name = format!("on-{os}");
        let put = |path: &str, content: &str| {
            let path = dir.path().join(&name).join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        };
        put(
            "template.conf",
            &format!("TEMPLATE_APP=\"On {os}\"\nTEMPLATE_OS={os}\nTEMPLATE_VERSION={version}\nTEMPLATE_PORTS=80\n"),
        );
        put("container-configs/packages/base.apt", "nginx\n");
        put("container-configs/packages/base.apk", "nginx\n");
        put("container-configs/packages/base.dnf", "nginx\n");
        put("container-configs/files/one.conf", "new\n");
        put("container-configs/files/one.conf.path", "/etc/families\n");
        put("container-configs/files/one.conf.policy", "replace\n");
        put("container-configs/files/one.conf.mode", "0640\n");
        put(
            "container-configs/scripts/40-look.sh",
            &format!(
                "#!/bin/sh\nset -eu\n\
                 [ \"$CONTAINER_OS\" = {id} ] || {{ log_error \"this is $CONTAINER_OS\"; exit 1; }}\n\
                 is_installed nginx || {{ log_error 'the list was not installed'; exit 1; }}\n\
                 ensure_installed jq\nis_installed jq\n\
                 [ \"$(cat /etc/families/one.conf)\" = new ]\n\
                 [ \"$(stat -c %a /etc/families/one.conf)\" = 640 ]\n\
                 run_as_user true\nwait_for_apt_lock\n\
                 if [ ! -e /etc/infrahaus/credentials/app ]; then save_credential app KEY \"$(generate_password 20)\"; fi\n\
                 log_info \"$CONTAINER_OS $CONTAINER_OS_VERSION with $_PKG_MGR\"\n"
            ),
        );
        names.push(name);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let ran = gantry(&[&["template", "test"][..], &names].concat()).dir(dir.path()).run();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    for (name, manager) in names.iter().zip(["apt", "apt", "apk", "dnf"]) {
        assert!(ran.stdout.contains(&format!("✓ {name}")), "{name}: {}", ran.stdout);
        assert!(ran.stdout.contains(&format!("with {manager}")), "{manager}: {}", ran.stdout);
    }
}
