use domain::{
    ContainerId, HostId, OperationId, SealedId,
    host::{Auth, Host, HostCommand, HostSettings, Limits},
    vmid::{Vmid, VmidCommand, VmidLease, VmidOfHost},
};
use platform::{
    log::{Log, Replaying},
    views::{self, HostFilter, HostRow, Page, VmidFilter, VmidRow},
};
use uuid::Uuid;

use crate::support::{Base, meta, on_both};

on_both![a_row_goes_when_there_is_nothing_to_see];

fn settings() -> HostSettings {
    HostSettings {
        name: "pve1".into(),
        addresses: vec!["pve1.example.org:8006".into()],
        auth: Auth::Token { id: "gantry@pve!main".into(), sealed: SealedId::new(Uuid::now_v7()) },
        fingerprint: None,
        pins: std::collections::BTreeMap::new(),
        ssh: None,
        limits: Limits::default(),
    }
}

async fn leased(log: &Log, filter: VmidFilter) -> Vec<u32> {
    views::page::<VmidRow>(log.db(), &filter, &Page::default())
        .await
        .unwrap()
        .items
        .iter()
        .map(|row| row.vmid.get())
        .collect()
}

async fn a_row_goes_when_there_is_nothing_to_see(base: Base) {
    let log = base.log_with(views::all()).await;
    let host = HostId::new(Uuid::now_v7());
    log.execute::<Host>(host, HostCommand::Register(settings()), &(), meta()).await.unwrap();
    let named = HostFilter { name: Some("pve1".into()) };
    assert_eq!(views::page::<HostRow>(log.db(), &named, &Page::default()).await.unwrap().items[0].id, host);

    let container = ContainerId::new(Uuid::now_v7());
    let lease = VmidCommand::Lease { container, operation: OperationId::new(Uuid::now_v7()) };
    for number in [100, 101] {
        let vmid = VmidOfHost { host, vmid: Vmid::try_from(number).unwrap() };
        log.execute::<VmidLease>(vmid, lease.clone(), &(), meta()).await.unwrap();
    }
    assert_eq!(leased(&log, VmidFilter { host: Some(host), container: None }).await, [101, 100]);
    let vmid = VmidOfHost { host, vmid: Vmid::try_from(101).unwrap() };
    log.execute::<VmidLease>(vmid, VmidCommand::Release { container }, &(), meta()).await.unwrap();
    assert_eq!(leased(&log, VmidFilter { host: None, container: Some(container) }).await, [100]);
    log.execute::<Host>(host, HostCommand::Remove, &(), meta()).await.unwrap();
    assert!(views::get::<HostRow>(log.db(), host).await.unwrap().is_none());
    assert!(log.replay(Replaying::Compare).await.unwrap().agrees());
}
