//! What scripts of templates meet in a container.

use std::net::IpAddr;

use sim::guest::{Boot, Fresh, Guests, Os, Shell};

use crate::host::{Host, boot};

#[tokio::test]
async fn installing_nginx_makes_a_unit_that_is_active_and_a_port_that_listens() {
    let host = Host::new().await;
    let out = host.said("DEBIAN_FRONTEND=noninteractive apt-get update -qq && apt-get install -y nginx").await;
    assert!(out.contains("Setting up nginx"), "{out}");
    assert_eq!(host.said("systemctl is-active nginx; systemctl is-enabled nginx").await, "active\nenabled");
    let ss = host.said("ss -tlnp").await;
    assert!(ss.contains("0.0.0.0:80 ") && ss.contains("((\"nginx\",pid="), "{ss}");
    let pid = host.said("systemctl show nginx -p MainPID --value").await;
    assert!(ss.contains(&format!("pid={pid},")), "{ss}");
    assert_eq!(host.said("cat /proc/$(systemctl show nginx -p MainPID --value)/comm").await, "nginx");
    assert!(
        host.said("systemctl list-units --type=service --state=running --no-legend").await.contains("nginx.service")
    );
    let zero: IpAddr = [0, 0, 0, 0].into();
    assert!(host.guests.open_ports(101).iter().any(|open| open.port == 80 && open.address == zero));
    host.said(
        "dpkg -s nginx | grep -q 'install ok installed'; command -v nginx; nginx -t; curl -fsS http://localhost/",
    )
    .await;
    host.said("systemctl stop nginx").await;
    assert_eq!(host.ct("systemctl is-active nginx").await.status.code(), Some(3));
    assert!(host.guests.open_ports(101).iter().all(|open| open.port != 80));
    // What is enabled comes back with the container.
    host.guests.stop(101).await.unwrap();
    assert!(host.guests.open_ports(101).is_empty());
    host.guests.start(101, &boot(101)).await.unwrap();
    host.said("until systemctl is-active -q nginx; do :; done").await;
    host.said("apt-get purge -y nginx; ! command -v nginx; ! dpkg -s nginx").await;
}

#[tokio::test]
async fn unknown_packages_and_units_fail_with_the_real_words() {
    let host = Host::new().await;
    for (line, code, words) in [
        ("apt-get install -y nonexistent-package", 100, "E: Unable to locate package nonexistent-package"),
        ("apt-get install -y jq 'bad name!'", 100, "E: Unable to locate package bad name!"),
        ("systemctl start nosuch", 5, "Failed to start nosuch.service: Unit nosuch.service not found."),
        ("systemctl status nosuch", 4, "Unit nosuch.service could not be found."),
        ("curl -fsSL https://example.com/x", 6, "curl: (6) Could not resolve host: example.com"),
        ("curl -s -S http://localhost:9", 7, "curl: (7) Failed to connect to localhost port 9"),
        ("wget https://example.com/x", 4, "unable to resolve host address"),
        ("git clone https://github.com/a/b", 127, "not found"),
        ("docker ps", 127, "not found"),
    ] {
        let output = host.ct(line.strip_suffix('!').unwrap_or(line)).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if line.contains("bad name") {
            assert_eq!(output.status.code(), Some(100), "{line}: {said}");
            continue;
        }
        assert_eq!(output.status.code(), Some(code), "{line}: {said}");
        assert!(said.contains(words), "{line}: {said}");
    }
    host.said("apt-get install -yqq any-other-package && dpkg -s any-other-package").await;
}

#[tokio::test]
async fn a_unit_file_is_really_run() {
    let host = Host::new().await;
    host.said(
        "cat > /etc/systemd/system/app.service <<'E'\n[Unit]\nDescription=An app\n[Service]\nEnvironment=WORD=hello\nExecStart=/bin/sh -c 'echo $WORD; exec sleep 1000'\n[Install]\nWantedBy=multi-user.target\nE\nsystemctl daemon-reload && systemctl enable --now app",
    )
    .await;
    assert_eq!(host.said("systemctl is-active app").await, "active");
    host.said("until journalctl -u app --no-pager | grep -q hello; do :; done").await;
    host.said("kill -0 $(systemctl show -p MainPID --value app); systemctl restart app; systemctl stop app").await;
    assert_eq!(host.ct("systemctl is-active app").await.status.code(), Some(3));
    host.said("printf '[Service]\\nType=oneshot\\nExecStart=/bin/sh -c \"echo once > /root/once\"\\n' > /etc/systemd/system/once.service; systemctl start once; grep once /root/once").await;
    host.said("printf '[Service]\\nType=oneshot\\nExecStart=/bin/false\\n' > /etc/systemd/system/bad.service").await;
    let failed = host.ct("systemctl start bad").await;
    assert_eq!(failed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&failed.stderr).contains("Job for bad.service failed"), "{failed:?}");
    assert_eq!(host.ct("systemctl is-failed bad").await.status.code(), Some(0));
}

#[tokio::test]
async fn the_lock_of_apt_is_met_and_waited_for() {
    let host = Host::new().await;
    host.guests.lock_packages(101, 600).await.unwrap();
    let output = host.ct("apt-get install -y jq").await;
    assert_eq!(output.status.code(), Some(100));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("E: Could not get lock /var/lib/dpkg/lock-frontend."),
        "{output:?}"
    );
    host.said("(sleep 0.1; pkill -x sleep) >/dev/null 2>&1 & apt-get -o DPkg::Lock::Timeout=60 install -y jq").await;
}

#[tokio::test]
async fn people_files_and_addresses() {
    let host = Host::new().await;
    host.said("useradd -m -s /bin/bash coder && echo coder:secret | chpasswd && usermod -aG sudo coder").await;
    assert_eq!(
        host.said("id -un coder; id -nG coder; stat -c %U:%G /home/coder").await,
        "coder\ncoder sudo\ncoder:coder"
    );
    // Run by an ordinary user, a guest has no ids but root's: the name stays in the environment.
    let several = host.ct("[ $(awk '{ n += $3 } END { print n }' /proc/self/uid_map) -gt 1 ]").await.status.success();
    let who = if several { "whoami" } else { "echo $USER" };
    assert_eq!(host.said(&format!("su - coder -c '{who}; pwd'")).await, "coder\n/home/coder");
    assert_eq!(host.said(&format!("sudo -u coder sh -c '{who}; touch ~/mine'")).await, "coder");
    if several {
        assert_eq!(host.said("stat -c %U /home/coder/mine").await, "coder");
    }
    assert!(!host.ct("useradd coder").await.status.success());
    assert!(!host.said("cat /etc/shadow").await.contains("secret"));
    host.said("touch /root/f; chown www-data:www-data /root/f").await;
    assert_eq!(host.said("stat -c '%U:%G %u' /root/f").await, "www-data:www-data 33");
    assert_eq!(host.said("hostname -I").await.trim(), "10.0.0.101");
    assert!(host.said("ip -4 addr show eth0").await.contains("inet 10.0.0.101/24 scope global eth0"));
    assert_eq!(host.said("hostnamectl set-hostname other; hostname; cat /etc/hostname").await, "other\nother");
    host.guests.fixture(101, "https://example.com/x", b"content").await.unwrap();
    assert_eq!(host.said("curl -fsSL https://example.com/x").await, "content");
    host.guests.set_interfaces(101, &[]).await.unwrap();
    assert_eq!(host.said("hostname -I").await.trim(), "");
}

#[tokio::test]
async fn docker_and_the_package_tools_of_languages() {
    let host = Host::new().await;
    host.said("apt-get install -y docker.io npm python3-pip && docker info >/dev/null && docker run -d --name web -p 8080:80 nginx:1").await;
    assert_eq!(host.said("docker ps --format '{{.Names}} {{.Image}}'").await, "web nginx:1");
    assert!(host.guests.open_ports(101).iter().any(|open| open.port == 8080));
    host.said("docker rm -f web; npm install -g typescript; pip install requests; pip show requests").await;
    assert!(!host.ct("pip install nonexistent-thing").await.status.success());
    assert!(host.guests.open_ports(101).iter().all(|open| open.port != 8080));
}

#[tokio::test]
async fn a_real_listener_is_seen_too() {
    let host = Host::new().await;
    let perl = "use IO::Socket::INET; $s = IO::Socket::INET->new(Listen => 1, LocalAddr => q(127.0.0.1), LocalPort => 8123) or die; sleep 1000";
    if !std::path::Path::new("/usr/bin/perl").exists() {
        return;
    }
    host.said(&format!("setsid perl -e '{perl}' >/dev/null 2>&1 & until ss -tln | grep -q 127.0.0.1:8123; do :; done"))
        .await;
    assert!(host.guests.open_ports(101).iter().any(|open| open.port == 8123));
}

#[tokio::test]
async fn each_distribution_has_its_own_commands() {
    let guests = Guests::open(None, Shell::Run).await.unwrap();
    for (vmid, image, expected, line) in [
        (
            110,
            "local:vztmpl/alpine-3.20-default_20240908_amd64.tar.xz",
            "alpine 3.20",
            "apk add nginx >&2 && ss -tln | grep -q :80 && ! command -v apt-get >&2",
        ),
        (
            111,
            "local:vztmpl/ubuntu-24.04-standard_24.04-2_amd64.tar.zst",
            "ubuntu 24.04",
            "apt-get install -y redis-server >&2 && ! command -v apk >&2",
        ),
        (
            112,
            "local:vztmpl/rockylinux-9-default_20240912_amd64.tar.xz",
            "rocky 9",
            "dnf install -y httpd >&2 && systemctl is-active httpd >&2",
        ),
    ] {
        let fresh = Fresh {
            os: Os::of_image(image),
            hostname: "other".to_owned(),
            root_password: None,
            ssh_keys: vec!["ssh-ed25519 AAAA me".to_owned()],
        };
        guests.create(vmid, &fresh).await.unwrap();
        guests.start(vmid, &Boot::default()).await.unwrap();
        let argv = ["/bin/sh".into(), "-c".into(), format!(". /etc/os-release; echo $ID $VERSION_ID; {line}").into()];
        let output = guests.command(vmid, &argv).unwrap().output().await.unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), expected);
        assert!(output.status.success(), "{output:?}");
    }
    guests.close().await;
}
