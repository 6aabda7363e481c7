//! The node's own SSH server, met by a client.

use std::sync::Arc;
use std::time::Duration;

use russh::keys::{PrivateKey, PrivateKeyWithHashAlg};
use russh::{ChannelMsg, Sig, client};
use sim::guest::ssh::{Door, SshOptions, SshServer};

use crate::host::Host;

pub struct Keys {
    pub key: PrivateKey,
}

impl Keys {
    pub fn new() -> Self {
        Self { key: PrivateKey::random(&mut rand::rng(), russh::keys::Algorithm::Ed25519).unwrap() }
    }
}

impl Door for Keys {
    fn password(&self, user: &str, password: &str) -> bool {
        user == "root" && password == "right"
    }

    fn key(&self, user: &str, key: &str) -> bool {
        user == "root" && key == self.key.public_key().to_openssh().unwrap()
    }

    fn drop_after(&self, command: &str) -> Option<Duration> {
        command.contains("cable").then_some(Duration::ZERO)
    }
}

pub struct Client;

impl client::Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &russh::keys::PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

pub type Session = client::Handle<Client>;

async fn connect(server: &SshServer) -> Session {
    client::connect(Arc::default(), server.address(), Client).await.unwrap()
}

pub async fn logged_in(server: &SshServer) -> Session {
    let mut session = connect(server).await;
    assert!(session.authenticate_password("root", "right").await.unwrap().success());
    session
}

#[derive(Debug, Default, PartialEq)]
pub struct Done {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub code: Option<u32>,
    signal: Option<String>,
}

pub async fn run(session: &Session, line: &str, input: &[u8]) -> Done {
    let channel = session.channel_open_session().await.unwrap();
    channel.exec(true, line).await.unwrap();
    let (mut answers, ask) = channel.split();
    let input = input.to_vec();
    let feed = tokio::spawn(async move {
        let _broken = ask.data(&input[..]).await;
        let _broken = ask.eof().await;
    });
    let mut done = Done::default();
    while let Some(message) = answers.wait().await {
        match message {
            ChannelMsg::Data { data } => done.stdout.extend(&data[..]),
            ChannelMsg::ExtendedData { data, ext: 1 } => done.stderr.extend(&data[..]),
            ChannelMsg::ExitStatus { exit_status } => done.code = Some(exit_status),
            ChannelMsg::ExitSignal { signal_name, .. } => done.signal = Some(format!("{signal_name:?}")),
            _ => {}
        }
    }
    feed.await.unwrap();
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_and_keys_are_judged() {
    let host = Host::new().await;
    let keys = Keys::new();
    let key = keys.key.clone();
    let server = host.ssh(keys).await;
    let mut session = connect(&server).await;
    assert!(!session.authenticate_password("root", "wrong").await.unwrap().success());
    let stranger = PrivateKey::random(&mut rand::rng(), russh::keys::Algorithm::Ed25519).unwrap();
    assert!(
        !session
            .authenticate_publickey("root", PrivateKeyWithHashAlg::new(Arc::new(stranger), None))
            .await
            .unwrap()
            .success()
    );
    assert!(
        session
            .authenticate_publickey("root", PrivateKeyWithHashAlg::new(Arc::new(key), None))
            .await
            .unwrap()
            .success()
    );
    assert_eq!(run(&session, "hostname", b"").await.stdout, b"pve1\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_give_their_streams_codes_and_signals() {
    let host = Host::new().await;
    let server = host.ssh(Keys::new()).await;
    let session = logged_in(&server).await;
    let done =
        run(&session, "pct exec 101 -- sh -c 'cat; echo err >&2; exit 7'; printf '\\n__rc=%d\\n' $?", b"in").await;
    assert_eq!((done.stdout, done.stderr, done.code), (b"in\n__rc=7\n".to_vec(), b"err\n".to_vec(), Some(0)));
    assert_eq!(run(&session, "exit 3", b"").await.code, Some(3));
    assert_eq!(run(&session, "kill -TERM $$", b"").await.signal.as_deref(), Some("TERM"));
    let many =
        futures_util::future::join_all(
            (0..10).map(|i| {
                let session = &session;
                async move {
                    run(session, &format!("pct exec 101 -- sh -c 'cat; exit {i}'"), format!("{i}").as_bytes()).await
                }
            }),
        )
        .await;
    for (i, done) in many.into_iter().enumerate() {
        assert_eq!((done.code, done.stdout), (u32::try_from(i).ok(), i.to_string().into_bytes()));
    }
    // A daemon that keeps the stream does not keep the call.
    let done = run(&session, "pct exec 101 -- sh -c 'sleep 1000 & echo on'; echo $?", b"").await;
    assert_eq!(done.stdout, b"on\n0\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_eleventh_channel_is_refused_and_a_signal_ends_a_command() {
    let host = Host::new().await;
    let server = host.ssh(Keys::new()).await;
    let session = logged_in(&server).await;
    let mut open = Vec::new();
    for _ in 0..10 {
        let channel = session.channel_open_session().await.unwrap();
        channel.exec(true, "echo on; exec sleep 1000").await.unwrap();
        open.push(channel);
    }
    assert!(session.channel_open_session().await.is_err());
    let mut channel = open.pop().unwrap();
    let mut ended = None;
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Data { .. } => channel.signal(Sig::TERM).await.unwrap(),
            ChannelMsg::ExitSignal { signal_name, .. } => ended = Some(format!("{signal_name:?}")),
            _ => {}
        }
    }
    assert_eq!(ended.as_deref(), Some("TERM"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pulled_cable_ends_the_session_without_a_code_and_the_host_key_stays() {
    let host = Host::new().await;
    let file = tempfile::tempdir().unwrap();
    let file = file.path().join("key");
    let server =
        SshServer::start(host.node.clone(), Arc::new(Keys::new()), SshOptions::default(), Some(&file)).await.unwrap();
    let session = logged_in(&server).await;
    let done = run(&session, ": cable; sleep 1000", b"").await;
    assert_eq!((done.code, done.signal), (None, None));
    assert!(session.is_closed() || session.channel_open_session().await.is_err());
    let fingerprint = server.fingerprint().to_owned();
    drop(server);
    let server =
        SshServer::start(host.node.clone(), Arc::new(Keys::new()), SshOptions::default(), Some(&file)).await.unwrap();
    assert_eq!(server.fingerprint(), fingerprint);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_mebibytes_go_up_and_come_down_intact() {
    let host = Host::new().await;
    let server = host.ssh(Keys::new()).await;
    let session = logged_in(&server).await;
    let bytes: Vec<u8> = (0..64u32 << 20).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let done = run(&session, "pct push 101 /dev/stdin /root/big; pct exec 101 -- cat /root/big", &bytes).await;
    assert_eq!(done.code, Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(done.stdout == bytes, "{} of {} bytes", done.stdout.len(), bytes.len());
}
