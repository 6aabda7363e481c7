use domain::account::{Account, AccountCommand};
use domain::container::Container;
use domain::quota::{Quota, Takes};
use domain::{AccountId, Aggregate as _};
use platform::log::{Append, Expected, Log};
use platform::people::quota;
use platform::views;
use uuid::Uuid;

use crate::support::{Base, meta, on_both, requested};

on_both!(of_many_at_once_those_are_taken_for_whom_there_is_room);

fn wish(account: AccountId) -> Append {
    let (container, _, events) = requested(account);
    Append::new(meta())
        .stream(Container::stream(container), Expected::New, events)
        .with(quota::held(account, Takes::Place))
}

async fn of_many_at_once_those_are_taken_for_whom_there_is_room(base: Base) {
    let log: Log = base.log_with(views::all()).await;
    let account = AccountId::new(Uuid::now_v7());
    let open = AccountCommand::Open { name: "shop".into(), quota: Quota { containers: Some(10), ..Quota::default() } };
    log.execute::<Account>(account, open, &(), meta()).await.unwrap();
    let all = futures_util::future::join_all((0..200).map(|_| log.append(wish(account)))).await;
    let (taken, refused): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
    assert_eq!((taken.len(), refused.len()), (10, 190));
    for error in refused {
        let error = error.unwrap_err();
        assert_eq!(error.over_quota().map(|over| over[0].what), Some("containers"), "{error}");
    }
    assert_eq!(quota::used(log.db(), account).await.unwrap().containers, 10);
}
