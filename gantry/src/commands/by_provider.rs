//! Signing in by another provider: it is asked in a browser, and its answer is waited for on this machine.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::account::word;
use crate::{
    client::Client,
    exit::{Exit, Failure, Outcome, While as _},
    output::Output,
};

const DONE: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\nYou can close this window.\n";
const ELSE: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// The tokens of a session.
pub(super) async fn sign_in(client: &Client, out: Output) -> Outcome<Value> {
    let listener = TcpListener::bind("127.0.0.1:0").await.during("waiting for the provider's answer")?;
    let port = listener.local_addr()?.port();
    let begun = client.post("/v1/session/oidc", &json!({ "port": port })).await?;
    let (url, state) = (word(&begun, "url"), word(&begun, "state"));
    out.say_aside(&format!("Open this in a browser on this machine:\n\n  {url}\n"));
    loop {
        let (stream, _) = listener.accept().await?;
        let Some((mine, code)) = answer(stream).await? else { continue };
        // Somebody else's sign-in is not to become ours.
        if mine != state {
            return Err(Failure::new(Exit::Refused, "the answer belongs to another sign-in").next("begin again"));
        }
        let Some(code) = code else {
            return Err(Failure::new(Exit::Refused, "the provider did not let you in"));
        };
        return client.post("/v1/session/oidc/finish", &json!({ "state": state, "code": code })).await;
    }
}

/// Its state and code; none for what a browser asks for besides.
async fn answer(stream: TcpStream) -> Outcome<Option<(String, Option<String>)>> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let path = line.split_whitespace().nth(1).unwrap_or_default();
    let pairs: Vec<(String, String)> = match reqwest::Url::parse(&format!("http://127.0.0.1{path}")) {
        Ok(url) => url.query_pairs().into_owned().collect(),
        Err(_) => Vec::new(),
    };
    let find = |name: &str| pairs.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
    let found = find("state").map(|state| (state, find("code")));
    let told = if found.is_some() { DONE } else { ELSE };
    // Whether the browser reads it changes nothing.
    let _ = stream.into_inner().write_all(told.as_bytes()).await;
    Ok(found)
}
