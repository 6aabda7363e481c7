//! The screen and the terminal of a guest, through pveproxy's websocket.
//!
//! pveproxy takes whole frames only, of at most [`MAX_FRAME`] bytes; whoever relays splits what is longer.

use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header::SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use zeroize::Zeroizing;

use crate::call::Call;
use crate::client::Client;
use crate::error::{Error, Outcome, Result};
use crate::lenient;
use crate::lxc::Lxc;
use crate::qemu::Qemu;
use crate::shell::Secret;
use crate::tls;
use crate::upid::Upid;

pub const MAX_FRAME: usize = 128 * 1024;

pub type Console = WebSocketStream<TlsStream<TcpStream>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// RFB; the secret is the password of the VNC handshake as well.
    Vnc,
    /// A terminal: first [`ConsoleTicket::greeting`], answered by `OK`; then input as `0:length:bytes`, a new size as
    /// `1:columns:rows:`, a ping as `2`. Output is raw.
    Terminal,
}

/// Good for 10 s (after which nobody listens) and for one connection.
#[derive(Clone, Debug)]
pub struct ConsoleTicket {
    pub screen: Screen,
    pub user: String,
    pub secret: Secret,
    pub upid: Upid,
    port: u16,
    /// `/nodes/pve1/lxc/101/vncwebsocket`
    call: Call,
}

#[derive(Deserialize)]
struct Row {
    #[serde(deserialize_with = "lenient::whole")]
    port: u64,
    ticket: Zeroizing<String>,
    user: String,
    upid: Upid,
}

impl Row {
    fn ticket(self, screen: Screen, client: &Client, call: Call) -> Result<ConsoleTicket> {
        let wrong = |_| Error::Other(client.said(&call, 200, format!("{} is no port", self.port)));
        let port = u16::try_from(self.port).map_err(wrong)?;
        let secret = Secret::new(self.ticket.as_bytes());
        Ok(ConsoleTicket { screen, user: self.user, secret, upid: self.upid, port, call })
    }
}

impl ConsoleTicket {
    /// What a terminal wants to hear first.
    pub fn greeting(&self) -> Secret {
        Secret::new([self.user.as_bytes(), b":", self.secret.expose(), b"\n"].concat())
    }
}

impl Lxc {
    pub async fn console(&self, screen: Screen) -> Result<ConsoleTicket> {
        let (client, fill): (_, [&(dyn std::fmt::Display + Sync); 2]) = (self.client(), [&self.node(), &self.vmid()]);
        let row: Row = match screen {
            Screen::Vnc => {
                client.call(Call::post("/nodes/{node}/lxc/{vmid}/vncproxy", &fill).with("websocket", true)).await?
            }
            Screen::Terminal => client.call(Call::post("/nodes/{node}/lxc/{vmid}/termproxy", &fill)).await?,
        };
        row.ticket(screen, client, Call::get("/nodes/{node}/lxc/{vmid}/vncwebsocket", &fill))
    }
}

impl Qemu {
    /// A terminal needs a serial port in the guest's configuration.
    pub async fn console(&self, screen: Screen) -> Result<ConsoleTicket> {
        let (client, fill): (_, [&(dyn std::fmt::Display + Sync); 2]) = (&self.client, [&self.node, &self.vmid]);
        let row: Row = match screen {
            Screen::Vnc => {
                client.call(Call::post("/nodes/{node}/qemu/{vmid}/vncproxy", &fill).with("websocket", true)).await?
            }
            Screen::Terminal => client.call(Call::post("/nodes/{node}/qemu/{vmid}/termproxy", &fill)).await?,
        };
        row.ticket(screen, client, Call::get("/nodes/{node}/qemu/{vmid}/vncwebsocket", &fill))
    }
}

impl Client {
    /// Opens it, with the same pinned certificate as every request.
    pub async fn open(&self, ticket: &ConsoleTicket) -> Result<Console> {
        let secret = Zeroizing::new(String::from_utf8_lossy(ticket.secret.expose()).into_owned());
        let call = ticket.call.clone().with("port", ticket.port).with("vncticket", secret.as_str());
        let failed = |words: String| Error::Unreachable(Outcome::NotDone, self.said(&ticket.call, 0, words));
        let address = self.address();
        let url = format!("wss://{address}/api2/json{}", call.path_and_query());
        // A parse error may quote the address, and the address has the ticket.
        let mut request = url.into_client_request().map_err(|_| failed("an address that is none".into()))?;
        for (name, value) in &self.identity().await?.headers {
            request.headers_mut().insert(name, value.clone());
        }
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("binary"));
        let opening = async {
            let stream = tls::connect(address).await.map_err(|error| match tls::changed(&error) {
                Some(changed) => Error::Tls { host: format!("{} ({address})", self.host()), changed },
                None => failed(error.to_string()),
            })?;
            let config = WebSocketConfig::default().max_message_size(Some(16 * 1024 * 1024));
            let (console, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config))
                .await
                .map_err(|error| self.refused(&ticket.call, error))?;
            Ok(console)
        };
        let limit = std::time::Duration::from_secs(10);
        tokio::time::timeout(limit, opening).await.map_err(|_| failed("no answer within 10 s".into()))?
    }

    fn refused(&self, call: &Call, error: tokio_tungstenite::tungstenite::Error) -> Error {
        use tokio_tungstenite::tungstenite::Error as Ws;
        match error {
            Ws::Http(answer) => {
                let words = "the ticket of the console was not accepted";
                crate::classify::classify(self.said(call, answer.status().as_u16(), words.into()), [].into(), true)
            }
            other => Error::Unreachable(Outcome::NotDone, self.said(call, 0, other.to_string())),
        }
    }
}
