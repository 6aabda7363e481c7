//! Tickets, certificates, and connections that break.

use std::time::Duration;

use proxmox::shell::Secret;
use proxmox::{Auth, Error, Outcome, Retry, learn_fingerprint};
use sim::{Effect, Options, Rule};

use crate::pve::{NODE, Pve, debian, dry};

const LOGIN: &str = "POST /access/ticket";

/// Counts the calls that fit, and changes nothing.
fn counter(pve: &Pve, call: &str) -> u64 {
    pve.sim.faults().add(Rule::always(call, Effect::LatencyMs(0)))
}

/// Our clock and the host's go on together.
async fn later(pve: &Pve, by: Duration) {
    pve.sim.world().advance(by);
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_ticket_is_renewed_before_it_ends() {
    let pve = Pve::new(dry()).await;
    let logins = counter(&pve, LOGIN);
    for _ in 0..3 {
        pve.client.version().await.unwrap();
    }
    assert_eq!(pve.sim.faults().hits(logins), 1);
    later(&pve, Duration::from_mins(91)).await;
    // The first renewal fails; the old ticket is still good.
    let broken = pve.sim.faults().add(Rule { times: Some(2), ..Rule::always(LOGIN, Effect::ResetBefore) });
    pve.client.version().await.unwrap();
    assert_eq!(pve.sim.faults().hits(broken), 2);
    pve.client.version().await.unwrap();
    later(&pve, Duration::from_mins(80)).await;
    pve.client.create_pool("p1", None).await.unwrap();
    pve.sim.stop().await;
}

#[tokio::test]
async fn a_ticket_that_ended_early_is_replaced_and_the_order_is_done_once() {
    let pve = Pve::new(dry()).await;
    let logins = counter(&pve, LOGIN);
    pve.client.version().await.unwrap();
    // As by a host whose clock was wrong.
    pve.sim.world().advance(Duration::from_secs(7300));
    let orders = counter(&pve, "POST /pools");
    pve.client.create_pool("p1", None).await.unwrap();
    assert_eq!((pve.sim.faults().hits(logins), pve.sim.faults().hits(orders)), (2, 2));
    assert_eq!(pve.client.pools().await.unwrap().len(), 1);
    pve.sim.stop().await;
}

#[tokio::test]
async fn a_wrong_password_is_said_once_and_not_repeated() {
    let pve = Pve::new(dry()).await;
    let client = pve.as_other(Auth::Password { user: "root@pam".into(), password: Secret::new("wrong") }).await;
    let logins = counter(&pve, LOGIN);
    let error = client.version().await.unwrap_err();
    assert!(matches!(error, Error::Auth(_)) && error.retry() == Retry::Never, "{error}");
    assert_eq!(pve.sim.faults().hits(logins), 1);
    assert!(!format!("{error:?} {client:?}").contains("wrong\""));
    pve.sim.stop().await;
}

#[tokio::test]
async fn many_at_once_log_in_once() {
    let pve = Pve::new(dry()).await;
    let logins = counter(&pve, LOGIN);
    let all = (0..20).map(|_| pve.client.nodes());
    assert!(futures_util::future::join_all(all).await.iter().all(Result::is_ok));
    assert_eq!(pve.sim.faults().hits(logins), 1);
    pve.sim.stop().await;
}

#[tokio::test]
async fn another_certificate_in_mid_life_is_refused_with_both_fingerprints() {
    let pve = Pve::new(dry()).await;
    pve.client.version().await.unwrap();
    let pinned = pve.client.address().fingerprint;
    // The connection that is open knows the old one; only the next can see the new one.
    pve.sim.faults().add(Rule::once("GET /version", Effect::Certificate));
    pve.sim.faults().add(Rule::once("GET /version", Effect::ResetBefore));
    let error = pve.client.version().await.unwrap_err();
    let Error::Tls { changed, .. } = &error else { panic!("{error}") };
    let address = pve.client.address();
    let shown = learn_fingerprint(&address.host, address.port).await.unwrap().fingerprint;
    assert_eq!((changed.expected, changed.actual), (pinned, shown));
    assert_eq!(error.retry(), Retry::Never);
    // Not with the right password either, and nothing was asked there.
    let calls = counter(&pve, "* /**");
    assert!(matches!(pve.client.create_pool("p1", None).await, Err(Error::Tls { .. })));
    assert_eq!(pve.sim.faults().hits(calls), 0);
    // With the new one pinned all is well.
    let client = pve.client_with(address, shown);
    client.version().await.unwrap();
    pve.sim.stop().await;
}

#[tokio::test]
async fn the_other_address_is_taken_when_one_shows_another_certificate() {
    let nodes = vec!["pve1".to_owned(), "pve2".to_owned()];
    let pve = Pve::new(Options { nodes, ..dry() }).await;
    pve.client.version().await.unwrap();
    let first = pve.client.address().port;
    pve.sim.faults().add(Rule::once("GET /version", Effect::Certificate));
    pve.sim.faults().add(Rule::once("GET /version", Effect::ResetBefore));
    pve.client.version().await.unwrap();
    assert_ne!(pve.client.address().port, first);
    pve.sim.stop().await;
}

#[tokio::test]
async fn an_order_whose_answer_was_lost_is_not_given_twice() {
    let pve = Pve::new(dry()).await;
    for (effect, done) in [(Effect::ResetAfter, true), (Effect::ResetBefore, false)] {
        let vmid = if done { 101 } else { 102 };
        let hits = counter(&pve, "POST /nodes/*/lxc");
        pve.sim.faults().add(Rule::once("POST /nodes/*/lxc", effect));
        let error = pve.client.create_lxc(NODE, &debian(vmid)).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable(Outcome::Unknown, _)), "{error}");
        assert_eq!(error.retry(), Retry::OutcomeUnknown);
        assert_eq!(pve.sim.faults().hits(hits), 1);
        assert_eq!(pve.client.check_id(vmid).await.is_err(), done);
    }
    pve.sim.stop().await;
}

#[tokio::test]
async fn a_token_needs_no_login_and_ends_with_it() {
    let pve = Pve::new(dry()).await;
    let new = pve.client.create_token("root@pam", "gantry", false, None).await.unwrap();
    let client = pve.as_other(Auth::Token { id: new.id, secret: new.secret }).await;
    let logins = counter(&pve, LOGIN);
    client.create_pool("p1", None).await.unwrap();
    assert_eq!(pve.sim.faults().hits(logins), 0);
    pve.client.delete_token("root@pam", "gantry").await.unwrap();
    assert!(matches!(client.pools().await, Err(Error::Auth(_))));
    pve.sim.stop().await;
}
