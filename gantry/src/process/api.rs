//! The API of a process: its listener, and what it is made of.

use std::net::{SocketAddr, TcpListener};

use api::{access::Access, live::LiveStates};

use super::{MOST_WAITING, Parts, Telemetry};
use crate::{
    exit::{Failure, Outcome},
    output::{Colour, Output},
};

pub(crate) struct Listening {
    pub(super) app: api::App,
    pub(super) listener: TcpListener,
    pub(super) settings: api::Settings,
    pub address: SocketAddr,
    /// The token, when this start made it.
    pub token: Option<String>,
}

impl Listening {
    /// Says where it listens, and the token when this start made it: it can't be found out again.
    pub(crate) async fn open(parts: &Parts, telemetry: &Telemetry, out: Output) -> Outcome<Self> {
        let it = Self::quietly(parts, telemetry).await?;
        if let Some(token) = &it.token {
            let strong = out.paint(Colour::Strong, token);
            out.say(format!(
                "The first start made the token for the API. It is shown only now:\n\n  export GANTRY_TOKEN={strong}\n"
            ));
        }
        out.say(format!("The API answers at http://{} (its documentation at /docs/).", it.address));
        Ok(it)
    }

    pub(crate) async fn quietly(parts: &Parts, telemetry: &Telemetry) -> Outcome<Self> {
        let wanted = parts.config.api.listen;
        let listener = TcpListener::bind(wanted).map_err(|error| {
            let what = format!("can't listen at {wanted}");
            Failure::from(anyhow::Error::new(error).context(what))
                .next("end what listens there, or choose another with --listen or the setting api.listen; port 0 is a free one")
        })?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let bootstrap = parts.bootstrap().await?;
        let app = api::App {
            log: parts.log.clone(),
            coordination: parts.coordination.clone(),
            queue: parts.queue.clone(),
            queue_limit: MOST_WAITING,
            vault: parts.vault.clone(),
            catalogue: parts.catalogue.clone(),
            access: Access::with_token_hash(bootstrap.hash)
                .behind(parts.config.api.trusted_proxies.split(',').filter_map(|net| net.trim().parse().ok()))
                .at_most(parts.config.api.requests_per_minute),
            live: LiveStates::default(),
            copies: std::sync::Arc::new(super::copies::Asked(worker::Copies::new(parts.tools.clone()))),
            guests: std::sync::Arc::new(super::guests::Seen(worker::Sweep::new(parts.tools.clone()))),
            foresee: parts.foresee(),
            metrics: telemetry.metrics(),
        };
        let settings = api::Settings::default();
        let workers = match parts.config.api.workers {
            0 => settings.workers,
            set => set,
        };
        let settings = api::Settings { workers, max_connections: parts.config.api.max_connections, ..settings };
        Ok(Self { app, listener, settings, address, token: bootstrap.fresh })
    }
}
