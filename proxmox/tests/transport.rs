//! Certificates, tickets, addresses, and what is (not) sent twice.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

mod host;

use std::time::Duration;

use host::{Host, Reply, client, data, token};
use proxmox::{Address, Auth, Error, Fingerprint, Outcome, Retry, learn_fingerprint};

const VERSION: &str = r#"{"version":"9.1.7","release":"9.1"}"#;
const UPID: &str = r#""UPID:pve1:000013EC:00037937:6B0094BE:vzstart:201:root@pam!t1:""#;

#[tokio::test]
async fn the_pinned_certificate_is_accepted_and_another_is_not() {
    let host = Host::start(|_, _| data(VERSION)).await;
    assert_eq!(host.client().version().await.unwrap().number(), Some((9, 1)));
    let other = Fingerprint::of(b"another");
    let wrong = Address { fingerprint: other, ..host.address.clone() };
    let Err(Error::Tls { changed, .. }) = client(vec![wrong], token()).version().await else { panic!("accepted") };
    assert_eq!((changed.expected, changed.actual), (other, host.address.fingerprint));
    assert_eq!(host.requests().len(), 1, "nothing was sent to a stranger");
}

#[tokio::test]
async fn a_certificate_is_shown_without_being_trusted() {
    let host = Host::start(|_, _| data(VERSION)).await;
    let shown = learn_fingerprint("127.0.0.1", host.address.port).await.unwrap();
    assert_eq!(shown.fingerprint, host.address.fingerprint);
    assert!(shown.not_before < shown.not_after && shown.subject.contains("CN="), "{shown:?}");
    assert!(host.requests().is_empty());
}

#[tokio::test]
async fn an_address_that_is_closed_is_passed_over_even_by_an_order() {
    let host = Host::start(|_, _| data(UPID)).await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let closed = Address { port: closed, ..host.address.clone() };
    let client = client(vec![closed, host.address.clone()], token());
    client.lxc("pve1", 201).start().await.unwrap();
    assert_eq!(client.address(), &host.address, "and the one that works is kept");
    assert_eq!(host.requests().len(), 1);
}

#[tokio::test]
async fn an_order_is_not_repeated_after_the_connection_broke_and_a_question_is() {
    let host = Host::start(|seen, n| if seen.method == "GET" && n > 1 { data(VERSION) } else { Reply::Drop }).await;
    let client = host.client();
    let error = client.lxc("pve1", 201).start().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(Outcome::Unknown, _)), "{error:?}");
    assert_eq!(error.retry(), Retry::OutcomeUnknown);
    assert_eq!(host.requests().len(), 1);
    client.version().await.unwrap();
    assert_eq!(host.requests().len(), 3);
}

#[tokio::test]
async fn a_gateway_that_gave_up_leaves_the_outcome_open_for_orders_alone() {
    let host = Host::start(|seen, _| match seen.path.as_str() {
        path if path.contains("/201/") => Reply::Answer(596, "Connection timed out".into(), String::new()),
        _ => Reply::Answer(595, "No route to host".into(), String::new()),
    })
    .await;
    let client = host.client();
    let order = client.lxc("pve1", 201).start().await.unwrap_err();
    assert_eq!((order.retry(), order.words()), (Retry::OutcomeUnknown, "Connection timed out"));
    let question = client.lxc("pve1", 201).status().await.unwrap_err();
    assert_eq!(question.retry(), Retry::After(Duration::from_secs(2)));
    let unreached = client.lxc("pve2", 202).start().await.unwrap_err();
    assert_eq!((unreached.retry(), unreached.words()), (Retry::After(Duration::from_secs(2)), "No route to host"));
}

#[tokio::test]
async fn one_login_serves_all_and_a_refused_ticket_is_renewed_once() {
    let host = Host::start(|seen, _| {
        let header = |name: &str| seen.headers.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str());
        if seen.path == "/access/ticket" {
            return data(r#"{"ticket":"PVE:root@pam:6B0094BE::abc+/=","CSRFPreventionToken":"6B0094BE:xyz","username":"root@pam"}"#);
        }
        assert_eq!(header("cookie"), "PVEAuthCookie=PVE:root@pam:6B0094BE::abc+/=");
        assert_eq!(header("csrfpreventiontoken"), "6B0094BE:xyz");
        if seen.path.contains("/203/") {
            return Reply::Answer(401, "No ticket".into(), String::new());
        }
        data(UPID)
    })
    .await;
    let auth = Auth::Password { user: "root@pam".into(), password: "tiger".into() };
    let client = client(vec![host.address.clone()], auth);
    let guest = client.lxc("pve1", 201);
    let started = futures_util::future::join_all((0..5).map(|_| guest.start())).await;
    assert!(started.iter().all(Result::is_ok));
    let logins = |host: &Host| host.requests().iter().filter(|r| r.ends_with("/access/ticket")).count();
    assert_eq!(logins(&host), 1);
    assert!(matches!(client.lxc("pve1", 203).start().await, Err(Error::Auth(_))));
    assert_eq!((logins(&host), host.requests().len()), (2, 1 + 5 + 3));
}

#[tokio::test]
async fn no_secret_is_in_what_can_be_printed() {
    let host = Host::start(|_, _| Reply::Answer(401, "authentication failure".into(), String::new())).await;
    let auth = Auth::Password { user: "root@pam".into(), password: "tiger".into() };
    let client = client(vec![host.address.clone()], auth.clone());
    let error = client.version().await.unwrap_err();
    for text in [format!("{auth:?}"), format!("{client:?}"), format!("{error:?} {error}"), format!("{:?}", token())] {
        assert!(!text.contains("tiger") && !text.contains("s3cr3t"), "{text}");
    }
}
