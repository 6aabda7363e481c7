//! The doctor at hosts that let us do too little: what it prints is run, and helps.

use std::collections::{BTreeMap, BTreeSet};

use proxmox::doctor::{Finding, Verdict, examine};
use proxmox::shell::Secret;
use proxmox::{Auth, Backup, Client, Compress, LxcChange, LxcClone, LxcDelete, Mode, Restore, Screen};
use sim::Options;

use crate::pve::{NODE, Pve, debian, dry};

const USER: &str = "gantry@pve";

async fn host() -> Pve {
    let users = [(USER.to_owned(), "password".to_owned())].into();
    Pve::new(Options { users, ..dry() }).await
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

async fn look(client: &Client) -> Vec<Finding> {
    examine(client, &BTreeMap::new(), now()).await.unwrap()
}

/// What is missing, apart from SSH, which these hosts do not have.
fn missing(findings: &[Finding]) -> Vec<(&str, &str)> {
    let all = findings.iter().filter(|finding| finding.capability != "SSH");
    all.filter_map(|finding| match &finding.verdict {
        Verdict::Missing { mend } => Some((finding.capability.as_str(), mend.as_str())),
        _ => None,
    })
    .collect()
}

/// `pveum`, as far as the doctor uses it: each command as the call of the API that it makes.
struct Pveum<'a>(&'a Pve, reqwest::Client, String);

impl<'a> Pveum<'a> {
    fn new(pve: &'a Pve) -> Self {
        let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
        Self(pve, client, format!("PVEAPIToken=root@pam!pveum={}", pve.sim.token("root@pam", "pveum")))
    }

    async fn run(&self, line: &str) {
        for command in line.split("; ") {
            let mut done = false;
            for choice in command.split(" || ") {
                done = done || self.one(choice).await;
            }
            assert!(done, "{command}");
        }
    }

    async fn one(&self, command: &str) -> bool {
        let words = words(command.trim_end_matches(" 2>/dev/null"));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (method, path, first, options) = match words.as_slice() {
            ["pveum", "role", "add", id, rest @ ..] => {
                ("POST", "/access/roles".to_owned(), Some(("roleid", *id)), rest)
            }
            ["pveum", "role", "modify", id, rest @ ..] => ("PUT", format!("/access/roles/{id}"), None, rest),
            ["pveum", "acl", "modify", path, rest @ ..] => {
                ("PUT", "/access/acl".to_owned(), Some(("path", *path)), rest)
            }
            _ => panic!("not a command that mends: {command}"),
        };
        let pairs = options.chunks(2).map(|pair| (pair[0].trim_start_matches("--"), pair[1]));
        let form: Vec<(&str, &str)> = first.into_iter().chain(pairs).collect();
        let url = format!("{}/api2/json{path}", self.0.sim.url());
        let request = self.1.request(method.parse().unwrap(), url).header("Authorization", &self.2).form(&form);
        request.send().await.unwrap().status().is_success()
    }
}

/// The words of a shell line without substitutions.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<Option<String>> = vec![None];
    let mut add = |text: &str, quoted: bool| {
        for (nth, piece) in if quoted { vec![text] } else { text.split(' ').collect() }.into_iter().enumerate() {
            if nth > 0 {
                words.push(None);
            }
            if quoted || !piece.is_empty() {
                words.last_mut().unwrap().get_or_insert_default().push_str(piece);
            }
        }
    };
    for (number, part) in line.split('\'').enumerate() {
        add(part, number % 2 == 1);
    }
    words.into_iter().flatten().collect()
}

#[tokio::test]
async fn root_is_well_and_a_stranger_is_told_everything() {
    let pve = host().await;
    assert_eq!(missing(&look(&pve.client).await), []);
    let stranger = pve.as_other(Auth::Password { user: USER.into(), password: Secret::new("password") }).await;
    let findings = look(&stranger).await;
    assert!(missing(&findings).len() >= 9, "{findings:#?}");
    assert!(findings.iter().any(|finding| matches!(finding.verdict, Verdict::Limited { .. })));
    pve.sim.stop().await;
}

#[tokio::test]
async fn running_what_is_printed_makes_it_well_and_the_product_works() {
    for token in [false, true] {
        let pve = host().await;
        let auth = if token {
            let new = pve.client.create_token(USER, "gantry", true, None).await.unwrap();
            Auth::Token { id: new.id, secret: new.secret }
        } else {
            Auth::Password { user: USER.into(), password: Secret::new("password") }
        };
        let (client, pveum) = (pve.as_other(auth).await, Pveum::new(&pve));
        let first = look(&client).await;
        for (capability, mend) in missing(&first).into_iter().filter(|(_, mend)| mend.starts_with("pveum")) {
            let before: BTreeSet<String> = missing(&look(&client).await).iter().map(|(c, _)| (*c).to_owned()).collect();
            pveum.run(mend).await;
            let after: BTreeSet<String> = missing(&look(&client).await).iter().map(|(c, _)| (*c).to_owned()).collect();
            assert!(!after.contains(capability) && after.is_subset(&before), "{capability}: {mend}");
        }
        assert_eq!(missing(&look(&client).await), [], "all commands were run");
        everything(&Pve { sim: pve.sim, client }).await;
    }
}

/// What the product does, by somebody with no more rights than the doctor asked for.
async fn everything(pve: &Pve) {
    let (client, ct) = (&pve.client, pve.client.lxc(NODE, 101));
    let template = "alpine-3.22-default_20250617_amd64.tar.xz";
    pve.done(client.download_template(NODE, "local", template).await).await;
    let mut new = debian(101);
    new.tags = vec!["gantry".into()];
    new.features = Some("nesting=1".into());
    new.password = Some(Secret::new("password"));
    new.mounts = vec!["local-btrfs:1,mp=/data".into()];
    pve.done(client.create_lxc(NODE, &new).await).await;
    pve.done(ct.start().await).await;
    pve.done(ct.snapshot("s1", None).await).await;
    pve.done(ct.rollback("s1", true).await).await;
    pve.done(ct.resize("rootfs", "+1G").await).await;
    let change = LxcChange {
        cores: Some(2),
        memory: Some(256),
        onboot: Some(true),
        description: Some("changed".into()),
        networks: [(0, "name=eth0,bridge=vmbr1,ip=dhcp".into())].into(),
        ..LxcChange::default()
    };
    ct.configure(&change).await.unwrap();
    ct.console(Screen::Terminal).await.unwrap();
    pve.done(ct.stop().await).await;
    let copy = LxcClone { newid: 102, full: true, ..LxcClone::default() };
    pve.done(ct.clone_to(&copy).await).await;
    let wanted = Backup {
        vmid: 101,
        storage: "local".into(),
        mode: Mode::Stop,
        compress: Compress::Zstd,
        notes: None,
        protected: false,
        bandwidth_kib: None,
    };
    pve.done(client.backup(NODE, &wanted).await).await;
    let archive = client.backups(NODE, "local", Some(101)).await.unwrap()[0].volid.clone();
    let from = Restore {
        vmid: 103,
        archive: archive.clone(),
        storage: Some("local-btrfs".into()),
        unique: true,
        ..Restore::default()
    };
    pve.done(client.restore_lxc(NODE, &from).await).await;
    if let Some(task) = client.delete_volume(NODE, "local", &archive).await.unwrap() {
        pve.done(Ok(task)).await;
    }
    for vmid in [101, 102, 103] {
        pve.done(client.lxc(NODE, vmid).delete(LxcDelete { purge: true, ..LxcDelete::default() }).await).await;
    }
    client.node_status(NODE).await.unwrap();
}

#[tokio::test]
async fn each_privilege_that_is_taken_away_is_missed_by_name() {
    let pve = host().await;
    let client = pve.as_other(Auth::Password { user: USER.into(), password: Secret::new("password") }).await;
    let pveum = Pveum::new(&pve);
    let mut granted = BTreeSet::new();
    for (_, mend) in missing(&look(&client).await).into_iter().filter(|(_, mend)| mend.starts_with("pveum")) {
        pveum.run(mend).await;
        let words = words(mend);
        let at = |option: &str| words[words.iter().position(|word| word == option).unwrap() + 1].clone();
        granted.extend(at("--privs").split(' ').map(|privilege| (at("--roles"), privilege.to_owned())));
    }
    assert!(granted.len() >= 15, "{granted:?}");
    for (role, privilege) in &granted {
        let others = granted.iter().filter(|(of, name)| of == role && name != privilege);
        let others: Vec<&str> = others.map(|(_, name)| name.as_str()).collect();
        pveum.run(&format!("pveum role modify {role} --privs '{}'", others.join(" "))).await;
        let findings = look(&client).await;
        let missed: Vec<_> = findings.iter().filter(|finding| finding.seen.starts_with("without ")).collect();
        assert_eq!(missed.len(), 1, "{role} without {privilege}: {missed:#?}");
        assert!(missed[0].seen.contains(privilege), "{privilege}: {}", missed[0].seen);
        let Verdict::Missing { mend } = &missed[0].verdict else { panic!("{:?}", missed[0]) };
        pveum.run(mend).await;
        assert_eq!(missing(&look(&client).await), []);
    }
    pve.sim.stop().await;
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_found() {
    let pve = host().await;
    let findings = examine(&pve.client, &BTreeMap::new(), now() + 3600).await.unwrap();
    assert!(missing(&findings).iter().any(|(what, mend)| what.starts_with("clock") && mend.contains("chrony")));
    pve.sim.stop().await;
}
