//! A host as its owner describes it, secrets and all; the secrets are sealed before anything else happens.

use std::collections::BTreeMap;

use domain::host::{Auth, Host, HostCommand, HostSettings, Limits, SshAccess, SshNode};
use domain::{Aggregate as _, HostId, SealedId};
use platform::log::{Append, Expected};
use platform::views::{self, HostFilter, HostRow, Page};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::accept::not_appended;
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::paging::wrong;
use crate::problem::{FieldProblem, Problem};
use crate::secret::Secret;
use crate::unread::unread;

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "pve", "addresses": ["pve1.example.org:8006"],
    "token": { "id": "gantry@pve!main", "secret": "00000000-0000-0000-0000-000000000000" },
    "ssh": { "private_key": "-----BEGIN OPENSSH PRIVATE KEY-----\n…" }
}))]
pub(crate) struct RegisterHost {
    #[schema(value_type = String, example = "pve", max_length = 63)]
    pub(crate) name: Option<String>,
    /// `name:port` or `address:port`; several of one cluster, tried in order.
    #[validate(length(max = 32, message = "give at most 32 addresses"))]
    #[serde(default)]
    #[schema(value_type = Vec<String>, required = true, min_items = 1)]
    pub(crate) addresses: Vec<String>,
    /// An API token; either this or `password`.
    pub(crate) token: Option<TokenWish>,
    pub(crate) password: Option<PasswordWish>,
    /// The SHA-256 of its certificate; left out: to be pinned before the host is used.
    #[schema(example = "AB:CD:…")]
    pub(crate) fingerprint: Option<String>,
    /// The same for addresses that show another certificate: every node of a cluster has its own.
    #[serde(default)]
    pub(crate) pins: BTreeMap<String, String>,
    /// What scripts and files need.
    pub(crate) ssh: Option<SshWish>,
    #[serde(default)]
    pub(crate) limits: LimitsWish,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenWish {
    #[schema(value_type = String, example = "gantry@pve!main")]
    pub(crate) id: Option<String>,
    #[schema(value_type = String, format = Password, write_only)]
    pub(crate) secret: Option<Secret>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordWish {
    #[schema(example = "root@pam")]
    pub(crate) user: Option<String>,
    #[schema(value_type = String, format = Password, write_only)]
    pub(crate) secret: Option<Secret>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SshWish {
    /// `root` when left out.
    pub(crate) user: Option<String>,
    /// 22 when left out.
    pub(crate) port: Option<u16>,
    #[schema(value_type = String, format = Password, write_only)]
    pub(crate) private_key: Option<Secret>,
    /// `SHA256:…` as ssh-keygen shows it.
    pub(crate) host_key: Option<String>,
    /// Where that differs for a node: every node of a cluster has a key of its own.
    #[serde(default)]
    pub(crate) nodes: BTreeMap<String, SshNodeWish>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SshNodeWish {
    /// `name:port` or `address:port`.
    pub(crate) address: Option<String>,
    pub(crate) host_key: Option<String>,
}

/// How many operations may be at work at once.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitsWish {
    pub(crate) per_host: Option<u16>,
    pub(crate) per_node: Option<u16>,
    pub(crate) per_storage: Option<u16>,
}

/// The new host's id.
///
/// # Errors
/// Everything that is wrong with it, and a name that another host has.
pub(crate) async fn host(app: &App, asking: &Asking, body: Body<RegisterHost>) -> Result<HostId, Problem> {
    let (id, digest) = (HostId::new(Uuid::now_v7()), body.digest);
    let mut append = Append::new(asking.meta());
    let mut errors = Vec::new();
    let settings = settings(app, id, body.read(), &mut append, &mut errors)?;
    errors.extend(settings.validate().into_iter().map(|error| FieldProblem {
        field: renamed(&error.field, body.read()),
        problem: error.problem,
        fix: error.fix,
    }));
    if is_named(app, &settings.name).await? && !crate::accept::is_repeated(app, asking, &digest).await? {
        errors.push(wrong("name", "is another host's already", "choose another name"));
    }
    body.fit(errors)?;
    let events = Host::default().decide(HostCommand::Register(settings), &()).map_err(Problem::internal)?;
    let events = events.iter().map(domain::Event::encode).collect::<Result<_, _>>().map_err(Problem::internal)?;
    let append = append.stream(Host::stream(id), Expected::New, events).once(asking.once(&digest, json!(id)));
    let appended = app.log.append(append).await.map_err(|error| not_appended(&error))?;
    Ok(appended.repeated.as_ref().and_then(Value::as_str).and_then(|id| id.parse().ok()).unwrap_or(id))
}

fn settings(
    app: &App,
    id: HostId,
    wish: &RegisterHost,
    append: &mut Append,
    errors: &mut Vec<FieldProblem>,
) -> Result<HostSettings, Problem> {
    let mut seal = |field: &str, what: &str, secret: Option<&Secret>| -> Result<SealedId, Problem> {
        let Some(secret) = secret.filter(|secret| !secret.expose().is_empty()) else {
            errors.push(wrong(field, "is missing", "give it; it is sealed and never shown again"));
            return Ok(SealedId::new(Uuid::nil()));
        };
        let record = format!("{}/{what}", Host::stream(id));
        let (sealed, row) = app.vault.seal(&record, secret.bytes()).map_err(Problem::internal)?;
        append.rows.push(row);
        Ok(sealed)
    };
    let auth = match (&wish.token, &wish.password) {
        (None, Some(password)) => Auth::Password {
            user: password.user.clone().unwrap_or_default(),
            sealed: seal("password.secret", "password", password.secret.as_ref())?,
        },
        (token, _) => Auth::Token {
            id: token.as_ref().and_then(|token| token.id.clone()).unwrap_or_default(),
            sealed: seal("token.secret", "token", token.as_ref().and_then(|token| token.secret.as_ref()))?,
        },
    };
    let ssh = match &wish.ssh {
        None => None,
        Some(ssh) => Some(SshAccess {
            user: ssh.user.clone().unwrap_or_else(|| "root".to_owned()),
            port: ssh.port.unwrap_or(22),
            key: seal("ssh.private_key", "ssh-key", ssh.private_key.as_ref())?,
            host_key: ssh.host_key.clone(),
            nodes: ssh.nodes.iter().map(|(name, node)| (name.clone(), node.into())).collect(),
        }),
    };
    if wish.token.is_some() && wish.password.is_some() {
        errors.push(wrong("password", "stands beside a token", "give one of the two"));
    }
    let limits = Limits::default();
    Ok(HostSettings {
        name: wish.name.clone().unwrap_or_default(),
        addresses: wish.addresses.clone(),
        auth,
        fingerprint: wish.fingerprint.clone(),
        pins: wish.pins.clone(),
        ssh,
        limits: Limits {
            per_host: wish.limits.per_host.unwrap_or(limits.per_host),
            per_node: wish.limits.per_node.unwrap_or(limits.per_node),
            per_storage: wish.limits.per_storage.unwrap_or(limits.per_storage),
        },
    })
}

impl From<&SshNodeWish> for SshNode {
    fn from(wish: &SshNodeWish) -> Self {
        Self { address: wish.address.clone().unwrap_or_default(), host_key: wish.host_key.clone().unwrap_or_default() }
    }
}

async fn is_named(app: &App, name: &str) -> Result<bool, Problem> {
    let filter = HostFilter { name: Some(name.to_owned()) };
    let page = views::page::<HostRow>(app.log.db(), &filter, &Page { limit: 1, ..Page::default() }).await;
    Ok(!page.map_err(unread)?.items.is_empty())
}

fn renamed(field: &str, wish: &RegisterHost) -> String {
    match field {
        "auth.id" if wish.password.is_none() && wish.token.is_none() => "token".to_owned(),
        "auth.id" => "token.id".to_owned(),
        "auth.user" => "password.user".to_owned(),
        other => other.to_owned(),
    }
}
