//! A plain HTTP client that shows what is on the wire.

use serde_json::Value;
use sim::{Options, Sim};

pub(crate) struct Caller {
    pub(crate) sim: Sim,
    client: reqwest::Client,
    token: String,
}

pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) body: String,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn data(&self) -> Value {
        self.json()["data"].take()
    }

    /// `500 CT 101 already running`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.status, self.reason)
    }
}

/// How a request says who sends it.
pub(crate) enum As<'a> {
    Root,
    Token(&'a str),
    Ticket(&'a str, &'a str),
    Nobody,
}

/// Without any command being run.
pub(crate) fn dry() -> Options {
    Options { dry_shell: true, ..Options::default() }
}

impl Caller {
    pub(crate) async fn new(options: Options) -> Self {
        let _once = rustls::crypto::ring::default_provider().install_default();
        let sim = sim::start(options).await.unwrap();
        let token = format!("root@pam!t1={}", sim.token("root@pam", "t1"));
        let client =
            reqwest::Client::builder().tls_danger_accept_invalid_certs(true).pool_max_idle_per_host(0).build().unwrap();
        Self { sim, client, token }
    }

    pub(crate) fn request(&self, who: &As<'_>, method: &str, url: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method.parse().unwrap(), url);
        match who {
            As::Root => request.header("Authorization", format!("PVEAPIToken={}", self.token)),
            As::Token(token) => request.header("Authorization", format!("PVEAPIToken={token}")),
            As::Ticket(ticket, csrf) => {
                request.header("Cookie", format!("PVEAuthCookie={ticket}")).header("CSRFPreventionToken", *csrf)
            }
            As::Nobody => request,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/api2/json{path}", self.sim.url())
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Got {
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let reason = response.extensions().get::<hyper::ext::ReasonPhrase>().map_or_else(
            || response.status().canonical_reason().unwrap_or_default().to_owned(),
            |reason| String::from_utf8_lossy(reason.as_bytes()).into_owned(),
        );
        Got { status, reason, body: response.text().await.unwrap() }
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        self.send(self.request(&As::Root, "GET", &self.url(path))).await
    }

    pub(crate) async fn call(&self, method: &str, path: &str, form: &[(&str, &str)]) -> Got {
        let mut request = self.request(&As::Root, method, &self.url(path));
        if !form.is_empty() {
            request = request.form(form);
        }
        self.send(request).await
    }

    /// Waits for a task and answers its exit status.
    pub(crate) async fn wait(&self, upid: &Value) -> String {
        let path = format!(
            "/nodes/pve1/tasks/{}/status",
            upid.as_str().expect("a UPID").replace(':', "%3A").replace('!', "%21").replace('@', "%40")
        );
        loop {
            let got = self.get(&path).await;
            if let Some(exit) = got.data()["exitstatus"].as_str() {
                return exit.to_owned();
            }
            assert_eq!(got.status, 200, "{}", got.body);
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn done(&self, method: &str, path: &str, form: &[(&str, &str)]) {
        let got = self.call(method, path, form).await;
        assert_eq!(got.status, 200, "{path}: {} {}", got.line(), got.body);
        assert_eq!(self.wait(&got.data()).await, "OK", "{path}");
    }

    pub(crate) async fn container(&self, vmid: u32, storage: &str, name: &str) {
        let (id, rootfs) = (vmid.to_string(), format!("{storage}:1"));
        let form = [
            ("vmid", id.as_str()),
            ("ostemplate", "local:vztmpl/busybox-1.37-alpine-like_amd64.tar.gz"),
            ("storage", storage),
            ("rootfs", &rootfs),
            ("memory", "128"),
            ("unprivileged", "1"),
            ("hostname", name),
            ("net0", "name=eth0,bridge=vmbr0,ip=192.168.177.9/24,gw=192.168.177.1"),
        ];
        self.done("POST", "/nodes/pve1/lxc", &form).await;
    }
}
