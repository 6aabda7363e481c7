use domain::account::{Account, AccountCommand};
use domain::container::{Container, ContainerCommand, ContainerSpec, Request};
use domain::quota::{Quota, Takes};
use domain::{AccountId, Aggregate as _, ContainerId, Event as _, OperationId};
use platform::log::{Append, Expected, Log};
use platform::people::quota;
use platform::views;
use uuid::Uuid;

use crate::support::{Base, meta, on_both};

on_both!(of_many_at_once_those_are_taken_for_whom_there_is_room);

fn wish(account: AccountId, n: usize) -> Append {
    let id = ContainerId::new(Uuid::now_v7());
    let spec = serde_json::json!({ "hostname": format!("web{n}"), "source": { "template": "plain" },
        "cores": 1, "memory_mb": 512, "swap_mb": 0, "disk_gb": 8 });
    let spec: ContainerSpec = serde_json::from_value(spec).unwrap();
    let request = Request {
        spec,
        operation: OperationId::new(Uuid::now_v7()),
        account: Some(account),
        placement: None,
        template: None,
        root_password: None,
        inputs: None,
    };
    let events = Container::default().decide(ContainerCommand::Request(Box::new(request)), &()).unwrap();
    let events = events.iter().map(|event| event.encode().unwrap()).collect();
    Append::new(meta()).stream(Container::stream(id), Expected::New, events).with(quota::held(account, Takes::Place))
}

async fn of_many_at_once_those_are_taken_for_whom_there_is_room(base: Base) {
    let log: Log = base.log_with(views::all()).await;
    let account = AccountId::new(Uuid::now_v7());
    let open = AccountCommand::Open { name: "shop".into(), quota: Quota { containers: Some(10), ..Quota::default() } };
    log.execute::<Account>(account, open, &(), meta()).await.unwrap();
    let all = futures_util::future::join_all((0..200).map(|n| log.append(wish(account, n)))).await;
    let (taken, refused): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
    assert_eq!((taken.len(), refused.len()), (10, 190));
    for error in refused {
        let error = error.unwrap_err();
        assert_eq!(error.over_quota().map(|over| over[0].what), Some("containers"), "{error}");
    }
    assert_eq!(quota::used(log.db(), account).await.unwrap().containers, 10);
}
