//! The API of a process: its listener, and what it is made of.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use api::{
    People, Registration,
    access::Access,
    live::LiveStates,
    oidc::{Client, Oidc},
};
use platform::{
    clock::Clock,
    config::{ApiSettings, Config, RegistrationSetting},
    mail::Smtp,
    people::setup,
};

use super::{MOST_WAITING, Parts, Telemetry};
use crate::{
    exit::{Failure, Outcome},
    output::{Colour, Output},
    settings,
};

pub(crate) struct Listening {
    pub(super) app: api::App,
    pub(super) listener: TcpListener,
    pub(super) settings: api::Settings,
    pub address: SocketAddr,
    scheme: &'static str,
    /// The token of the installation, when this start made it.
    pub token: Option<String>,
}

impl Listening {
    /// Says where it listens and, while there is nobody, by which link the first administrator comes in.
    pub(crate) async fn open(parts: &Parts, telemetry: &Telemetry, out: Output) -> Outcome<Self> {
        let it = Self::quietly(parts, telemetry).await?;
        let now = parts.log.clock().now();
        if let Some(link) = setup::offer(parts.log.db(), now).await? {
            let base = it.app.people.url.clone().unwrap_or_else(|| format!("{}://{}", it.scheme, it.address));
            let page = out.paint(Colour::Strong, &format!("{base}/welcome/setup#{}", link.expose()));
            out.say(format!(
                "There is nobody yet. Become the first administrator, once, within a day:\n\n  {page}\n\n\
                 or with `gantry setup --url {base} LOGIN`, which asks for this link.\n"
            ));
        }
        out.say(format!("The API answers at {}://{} (its documentation at /docs/).", it.scheme, it.address));
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
                .for_pages_of(listed(&parts.config.api.allowed_origins))
                .at_most(parts.config.api.requests_per_minute),
            live: LiveStates::default(),
            people: people(&parts.config)?,
            copies: Arc::new(super::copies::Asked(worker::Copies::new(parts.tools.clone()))),
            guests: Arc::new(super::guests::Seen(parts.tools.clone(), worker::Sweep::new(parts.tools.clone()))),
            foresee: parts.foresee(),
            metrics: telemetry.metrics(),
        };
        let settings = api::Settings::default();
        let workers = match parts.config.api.workers {
            0 => settings.workers,
            set => set,
        };
        let set = &parts.config.api;
        let settings = api::Settings {
            workers,
            max_connections: set.max_connections,
            body_limit: set.body_limit,
            body_within: Duration::from_secs(set.body_within_s),
            answer_within: Duration::from_secs(set.answer_within_s),
            tls: tls(set)?,
            ..settings
        };
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        Ok(Self { app, listener, settings, address, scheme, token: bootstrap.fresh })
    }
}

fn people(config: &Config) -> Outcome<People> {
    let mail = config.mail.url.as_ref().map(|url| Smtp::open(url, &config.mail.from, Clock::system())).transpose();
    let oidc = (!config.oidc.issuer.is_empty()).then(|| {
        let (issuer, id) = (config.oidc.issuer.clone(), config.oidc.client_id.clone());
        Oidc::new(Client { issuer, id, secret: config.oidc.client_secret.clone() })
    });
    Ok(People {
        oidc: oidc.transpose()?,
        registration: match config.people.registration {
            RegistrationSetting::Closed => Registration::Closed,
            RegistrationSetting::Invitation => Registration::Invitation,
            RegistrationSetting::Open => Registration::Open,
        },
        url: Some(config.api.public_url.trim_end_matches('/').to_owned()).filter(|url| !url.is_empty()),
        mail: mail.map_err(settings::wrong)?,
    })
}

fn listed(text: &str) -> impl Iterator<Item = String> {
    text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned)
}

fn tls(set: &ApiSettings) -> Outcome<Option<Arc<api::Tls>>> {
    if set.tls_certificate.as_os_str().is_empty() {
        return Ok(None);
    }
    let loaded = api::Tls::load(&set.tls_certificate, &set.tls_key);
    let next = "see the settings api.tls_certificate and api.tls_key";
    loaded.map(Some).map_err(|error| settings::wrong(anyhow::Error::new(error)).next(next))
}
