use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, answer, operation};

async fn quota(app: &TestApp, account: &str, quota: &Value) {
    let (status, body) = answer(app.ask(Method::PUT, &format!("/v1/accounts/{account}/quota")).json(quota)).await;
    assert_eq!((status, &body["quota"]), (200, quota));
}

async fn used(app: &TestApp, account: &str) -> Value {
    app.get(&format!("/v1/accounts/{account}")).await.1["used"].clone()
}

fn statuses(answers: &[(u16, Value)], status: u16) -> usize {
    answers.iter().filter(|answer| answer.0 == status).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_at_once_exactly_those_are_accepted_for_whom_there_is_room() {
    let app = TestApp::start().await;
    let shop = app.account("shop").await;
    quota(&app, &shop, &json!({ "containers": 10 })).await;
    let member = app.somebody("ann", Some((&shop, "member"))).await;
    let ask = |n: usize| {
        let wish = json!({ "hostname": format!("web{n}"), "template": "plain" });
        answer(app.as_of(&member.token, Method::POST, "/v1/containers").json(&wish))
    };
    let answers = futures_util::future::join_all((0..200).map(ask)).await;
    assert_eq!((statuses(&answers, 202), statuses(&answers, 409)), (10, 190));
    let (_, refused) = answers.iter().find(|answer| answer.0 == 409).unwrap();
    assert_eq!(refused["type"], "/problems/quota-exceeded");
    assert_eq!((&refused["over"][0]["what"], &refused["over"][0]["limit"]), (&json!("containers"), &json!(10)));
    assert_eq!(used(&app, &shop).await["containers"], 10);
    let (_, list) = answer(app.as_of(&member.token, Method::GET, "/v1/containers?limit=500")).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_with_one_idempotency_key_are_one_operation() {
    let app = TestApp::start().await;
    let shop = app.account("shop").await;
    quota(&app, &shop, &json!({ "containers": 1 })).await;
    let member = app.somebody("ann", Some((&shop, "member"))).await;
    let wish = json!({ "hostname": "web1", "template": "plain" });
    let ask = |_| {
        let request = app.as_of(&member.token, Method::POST, "/v1/containers").header("idempotency-key", "one");
        answer(request.json(&wish))
    };
    let answers = futures_util::future::join_all((0..200).map(ask)).await;
    assert_eq!(statuses(&answers, 202), 200);
    assert!(answers.iter().all(|answer| answer.1["id"] == answers[0].1["id"]));
    let (_, operations) = answer(app.as_of(&member.token, Method::GET, "/v1/operations")).await;
    assert_eq!(operations["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_is_given_back_when_nothing_is_left_of_a_container() {
    let app = TestApp::start().await;
    let shop = app.account("shop").await;
    quota(&app, &shop, &json!({ "cores": 4, "memory_mb": 2048 })).await;
    let member = app.somebody("ann", Some((&shop, "operator"))).await;
    let create = async |name: &str, cores: u32| {
        let wish = json!({ "hostname": name, "template": "plain", "cores": cores, "memory_mb": 512 });
        answer(app.as_of(&member.token, Method::POST, "/v1/containers").json(&wish)).await
    };
    let (status, first) = create("web1", 3).await;
    assert_eq!(status, 202);
    let (status, refused) = create("web2", 2).await;
    assert_eq!((status, &refused["over"]), (409, &json!([{ "what": "cores", "limit": 4, "wanted": 5 }])));
    // It fails: its place is free again, and taken when it is retried.
    app.work(operation(&first), true).await;
    app.fail_container(first["container"].as_str().unwrap()).await;
    assert_eq!(used(&app, &shop).await["cores"], 0);
    let (status, second) = create("web2", 2).await;
    assert_eq!(status, 202);
    let retry = format!("/v1/operations/{}/retry", first["id"].as_str().unwrap());
    let (status, refused) = answer(app.as_of(&member.token, Method::POST, &retry)).await;
    assert_eq!((status, refused["type"].as_str()), (409, Some("/problems/quota-exceeded")));
    // Deleted: free.
    let id = second["container"].as_str().unwrap().parse().unwrap();
    let remove = domain::container::ContainerCommand::Remove;
    let meta = domain::Meta::system("worker");
    app.app.log.execute::<domain::container::Container>(id, remove, &(), meta).await.unwrap();
    assert_eq!(used(&app, &shop).await["cores"], 0);
    assert_eq!(answer(app.as_of(&member.token, Method::POST, &retry)).await.0, 202);
    assert_eq!(used(&app, &shop).await["cores"], 3);
    // A quota below what there is stops nothing but more.
    quota(&app, &shop, &json!({ "cores": 1 })).await;
    app.work(operation(&first), false).await;
    let delete =
        app.as_of(&member.token, Method::DELETE, &format!("/v1/containers/{}", first["container"].as_str().unwrap()));
    assert_eq!(answer(delete).await.0, 202);
}

async fn of_container(app: &TestApp, id: &str, command: domain::container::ContainerCommand) {
    let meta = domain::Meta::system("worker");
    app.app.log.execute::<domain::container::Container>(id.parse().unwrap(), command, &(), meta).await.unwrap();
}

/// Containers of the account, made.
async fn two_ready(app: &TestApp, account: &str) -> [String; 2] {
    let mut made = Vec::new();
    for name in ["web1", "web2"] {
        let (container, create) = app.create_for(account, name).await;
        app.make_ready(&container, create.parse().unwrap()).await;
        made.push(container);
    }
    made.try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_at_once_one_gets_the_last_place_for_a_copy_and_it_is_free_again_when_there_is_none() {
    use domain::container::{BackupMade, ContainerCommand as C};
    let app = TestApp::start().await;
    let shop = app.account("shop").await;
    let two = two_ready(&app, &shop).await;
    quota(&app, &shop, &json!({ "snapshots": 1, "backups": 1, "cores": 1 })).await;
    let member = app.somebody("ann", Some((&shop, "operator"))).await;
    let ask = |id: &str, what: &str, more: &str| {
        let path = format!("/v1/containers/{id}/{what}{more}");
        let wish = if what == "snapshots" { json!({ "name": "before" }) } else { json!({}) };
        answer(app.as_of(&member.token, Method::POST, &path).json(&wish))
    };
    for what in ["snapshots", "backups"] {
        let (status, plan) = ask(&two[0], what, "?dry_run=true").await;
        let left = json!([{ "what": what, "used": 0, "asked": 1, "left": 0 }]);
        assert_eq!((status, &plan["possible"], &plan["quota"]), (200, &json!(true), &left), "{plan}");
        assert!(plan["calls"][0]["path"].as_str().unwrap().starts_with("/nodes/pve1/"), "{plan}");
        // More cores than it may have are no reason to refuse a copy.
        let answers = <[(u16, Value); 2]>::from(tokio::join!(ask(&two[0], what, ""), ask(&two[1], what, "")));
        assert_eq!((statuses(&answers, 202), statuses(&answers, 409)), (1, 1), "{answers:?}");
        let (_, refused) = answers.iter().find(|answer| answer.0 == 409).unwrap();
        assert_eq!(refused["over"], json!([{ "what": what, "limit": 1, "wanted": 2 }]));
        let won = usize::from(answers[1].0 == 202);
        let (first, holder, other) = (operation(&answers[won].1), &two[won], &two[1 - won]);
        let (_, plan) = ask(other, what, "?dry_run=true").await;
        assert_eq!((&plan["possible"], &plan["quota"][0]["left"]), (&json!(false), &json!(-1)), "{plan}");
        // It fails: the other may. Then the first is not retried before there is room again.
        app.work(first, true).await;
        assert_eq!(used(&app, &shop).await[what], 0);
        let (status, second) = ask(other, what, "").await;
        assert_eq!(status, 202);
        let retry = format!("/v1/operations/{first}/retry");
        let retry = || answer(app.as_of(&member.token, Method::POST, &retry));
        assert_eq!(retry().await.1["type"], "/problems/quota-exceeded");
        // Cancelled: free.
        let id = operation(&second);
        app.tell(id, domain::operation::OperationCommand::Cancel).await;
        app.work(id, false).await;
        assert_eq!(used(&app, &shop).await[what], 0);
        assert_eq!(retry().await.0, 202);
        // It is made, and counts for as long as it is kept.
        app.work(first, false).await;
        let volume = "local:backup/vzdump-lxc-101-2026_01_31-02_30_00.tar.zst".to_owned();
        let (made, gone) = match what {
            "snapshots" => (C::RecordSnapshot("before".into()), C::RecordSnapshotDeleted("before".into())),
            _ => {
                let made = BackupMade {
                    volume: volume.clone(),
                    host: domain::HostId::new(uuid::Uuid::nil()),
                    node: "pve1".into(),
                    vmid: domain::vmid::Vmid::try_from(101).unwrap(),
                    size_bytes: 1,
                    made_at: platform::clock::now(),
                    protected: false,
                    operation: first,
                    schedule: None,
                };
                // Backups outlive their container, and count as long.
                (C::RecordBackup(Box::new(made)), C::RecordBackupDeleted { volume })
            }
        };
        of_container(&app, holder, made).await;
        assert_eq!(used(&app, &shop).await[what], 1);
        if what == "backups" {
            of_container(&app, holder, C::Remove).await;
            assert_eq!(used(&app, &shop).await[what], 1);
        }
        assert_eq!(ask(other, what, "").await.0, 409);
        of_container(&app, holder, gone).await;
        assert_eq!(used(&app, &shop).await[what], 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_rebuilds_with_a_backup_first_one_gets_the_last_place_and_keeps_it_once() {
    use domain::container::{BackupMade, ContainerCommand as C};
    use domain::operation::OperationCommand as O;
    use domain::pipeline::StepName as S;
    let app = TestApp::start().await;
    let shop = app.account("shop").await;
    let two = two_ready(&app, &shop).await;
    quota(&app, &shop, &json!({ "backups": 1 })).await;
    let rebuild = |id: &str| {
        answer(app.ask(Method::POST, &format!("/v1/containers/{id}/rebuild")).json(&json!({ "backup_first": true })))
    };
    let (one, other) = futures_util::future::join(rebuild(&two[0]), rebuild(&two[1])).await;
    let answers = [one, other];
    assert_eq!((statuses(&answers, 202), statuses(&answers, 409)), (1, 1), "{answers:?}");
    let (winner, loser) = if answers[0].0 == 202 { (0, 1) } else { (1, 0) };
    assert_eq!(answers[loser].1["type"], "/problems/quota-exceeded", "{answers:?}");
    assert_eq!(answers[loser].1["over"], json!([{ "what": "backups", "limit": 1, "wanted": 2 }]));
    assert_eq!(used(&app, &shop).await["backups"], 1, "before it is there");

    // It is made, and still counts as one: not as one made and one in the making.
    let id = operation(&answers[winner].1);
    app.tell(id, O::Claim { worker: "test".into() }).await;
    for step in [S::KeepPlace, S::EnsureImage, S::BackUpFirst] {
        app.tell(id, O::StartStep { step, intent: Value::Null }).await;
        app.tell(id, O::SucceedStep { step, fact: Value::Null }).await;
    }
    assert_eq!(used(&app, &shop).await["backups"], 0);
    let made: BackupMade = serde_json::from_value(json!({
        "volume": "local:backup/vzdump-lxc-101-2026_01_31-02_30_00.tar.zst", "host": uuid::Uuid::nil(), "node": "pve1",
        "vmid": 101, "size_bytes": 1, "made_at": "2026-01-31T02:30:00Z", "protected": false, "operation": id,
    }))
    .unwrap();
    of_container(&app, &two[winner], C::RecordBackup(Box::new(made))).await;
    assert_eq!(used(&app, &shop).await["backups"], 1);

    // One that failed after that does not need the place again.
    let failure = domain::operation::Failure::new("image-missing", "There is none", "fetch one");
    let step = S::BeginRebuild;
    app.tell(id, O::StartStep { step, intent: Value::Null }).await;
    app.tell(id, O::FailStep { step, kind: domain::operation::FailureKind::Final, failure }).await;
    app.tell(id, O::Fail).await;
    let (status, retried) = answer(app.ask(Method::POST, &format!("/v1/operations/{id}/retry"))).await;
    assert_eq!(status, 202, "{retried}");
    assert_eq!(used(&app, &shop).await["backups"], 1);
}
