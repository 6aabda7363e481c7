//! Virtual machines, which Gantry does not make, and what their guest agent says.

use std::net::IpAddr;

use sim::Options;

use crate::pve::{NODE, Pve, dry};

/// Somebody made it; we only watch.
async fn machine(pve: &Pve, vmid: u32, settings: &[(&str, &str)]) {
    let http = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
    let secret = pve.sim.token("root@pam", "somebody");
    let mut form = vec![("vmid", vmid.to_string()), ("memory", "512".into()), ("scsi0", "local:1".into())];
    form.extend(settings.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let answer = http
        .post(format!("https://{}/api2/json/nodes/{NODE}/qemu", pve.sim.nodes()[0].api))
        .header("Authorization", format!("PVEAPIToken=root@pam!somebody={secret}"))
        .json(&form.into_iter().collect::<std::collections::BTreeMap<_, _>>())
        .send()
        .await
        .unwrap();
    let said: serde_json::Value = answer.json().await.unwrap();
    let upid = said["data"].as_str().unwrap_or_else(|| panic!("{said}")).parse().unwrap();
    pve.done(Ok(upid)).await;
}

#[tokio::test]
async fn the_guest_agent_tells_the_addresses_of_a_cloud_image() {
    let pve = Pve::new(Options { dhcp_delay: std::time::Duration::ZERO, ..dry() }).await;
    let cloud = [
        ("agent", "1"),
        ("ide2", "local:cloudinit"),
        ("net0", "virtio,bridge=vmbr0"),
        ("ipconfig0", "ip=10.1.2.3/24,gw=10.1.2.1"),
        ("net1", "virtio,bridge=vmbr0"),
        ("ipconfig1", "ip=dhcp"),
    ];
    machine(&pve, 120, &cloud).await;
    let vm = pve.client.qemu(NODE, 120);
    assert!(vm.ping().await.unwrap_err().words().contains("not running"), "a machine that is off");
    pve.done(vm.start().await).await;
    assert!(vm.status().await.unwrap().agent && vm.ping().await.unwrap());
    let interfaces = vm.interfaces().await.unwrap().expect("the agent is up");
    assert_eq!(interfaces.iter().map(|each| each.name.as_str()).collect::<Vec<_>>(), ["lo", "eth0", "eth1"]);
    let eth0 = &interfaces[1];
    let config = vm.config().await.unwrap();
    assert!(config.get("net0").unwrap().to_lowercase().contains(&eth0.hardware), "{eth0:?}");
    assert_eq!((eth0.addresses[0].address, eth0.addresses[0].prefix), ("10.1.2.3".parse::<IpAddr>().unwrap(), 24));
    assert!(interfaces[2].addresses.iter().any(|each| each.address.is_ipv4()), "{interfaces:?}");
    pve.sim.stop().await;
}

#[tokio::test]
async fn an_agent_that_is_silent_or_not_there_is_no_error() {
    let pve = Pve::new(dry()).await;
    machine(&pve, 121, &[("agent", "1"), ("net0", "virtio,bridge=vmbr0")]).await;
    machine(&pve, 122, &[("ide2", "local:cloudinit")]).await;
    for vmid in [121, 122] {
        let vm = pve.client.qemu(NODE, vmid);
        pve.done(vm.start().await).await;
        assert_eq!((vm.ping().await, vm.interfaces().await), (Ok(false), Ok(None)), "{vmid}");
    }
    pve.sim.stop().await;
}
