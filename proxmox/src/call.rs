//! One request: the template of its path, what fills it, and the parameters.
//!
//! The template is a path of the official schema, so that tests, metrics and logs name a call alike.

use std::fmt::{Display, Write};

use reqwest::Method;

use crate::shell::Secret;

#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) template: &'static str,
    pub(crate) path: String,
    params: Params,
}

/// Parameters in the order they were given, as Proxmox reads them: booleans are 0 and 1.
#[derive(Clone, Default)]
pub(crate) struct Params(Vec<(String, String)>);

// A password may be among them.
impl std::fmt::Debug for Params {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// What Proxmox understands as a value.
pub(crate) trait Value {
    fn text(&self) -> String;
}

impl Value for bool {
    fn text(&self) -> String {
        if *self { "1".into() } else { "0".into() }
    }
}

macro_rules! as_displayed {
    ($($kind:ty),*) => { $(impl Value for $kind { fn text(&self) -> String { self.to_string() } })* };
}
as_displayed!(str, String, u16, u32, u64, i64, f64);

impl<T: Value + ?Sized> Value for &T {
    fn text(&self) -> String {
        (**self).text()
    }
}

impl Params {
    pub(crate) fn set(&mut self, name: impl Into<String>, value: impl Value) {
        self.0.push((name.into(), value.text()));
    }

    pub(crate) fn maybe(&mut self, name: impl Into<String>, value: &Option<impl Value>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    /// Text that no Debug shows (no value of ours does).
    pub(crate) fn secret(&mut self, name: &str, value: Option<&Secret>) {
        if let Some(value) = value {
            self.set(name, String::from_utf8_lossy(value.expose()).into_owned());
        }
    }

    /// `net0`, `net1`, …
    pub(crate) fn numbered(&mut self, name: &str, values: &[String]) {
        for (number, value) in values.iter().enumerate() {
            self.set(format!("{name}{number}"), value);
        }
    }

    fn encoded(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.0 {
            if !text.is_empty() {
                text.push('&');
            }
            escape(&mut text, name);
            text.push('=');
            escape(&mut text, value);
        }
        text
    }
}

impl Call {
    pub(crate) fn get(template: &'static str, fill: &[&(dyn Display + Sync)]) -> Self {
        Self::new(Method::GET, template, fill)
    }

    pub(crate) fn post(template: &'static str, fill: &[&(dyn Display + Sync)]) -> Self {
        Self::new(Method::POST, template, fill)
    }

    pub(crate) fn put(template: &'static str, fill: &[&(dyn Display + Sync)]) -> Self {
        Self::new(Method::PUT, template, fill)
    }

    pub(crate) fn delete(template: &'static str, fill: &[&(dyn Display + Sync)]) -> Self {
        Self::new(Method::DELETE, template, fill)
    }

    fn new(method: Method, template: &'static str, fill: &[&(dyn Display + Sync)]) -> Self {
        let (mut path, mut fill) = (String::new(), fill.iter());
        for segment in template.split('/').skip(1) {
            path.push('/');
            match segment.starts_with('{').then(|| fill.next()).flatten() {
                Some(value) => escape(&mut path, &value.to_string()),
                None => path.push_str(segment),
            }
        }
        Self { method, template, path, params: Params::default() }
    }

    pub(crate) fn with(mut self, name: impl Into<String>, value: impl Value) -> Self {
        self.params.set(name, value);
        self
    }

    pub(crate) fn maybe(mut self, name: impl Into<String>, value: &Option<impl Value>) -> Self {
        self.params.maybe(name, value);
        self
    }

    pub(crate) fn params(mut self, params: Params) -> Self {
        self.params.0.extend(params.0);
        self
    }

    pub(crate) fn reads(&self) -> bool {
        self.method == Method::GET
    }

    /// Whether doing it twice is as good as once. A login changes nothing either.
    pub(crate) fn repeatable(&self) -> bool {
        self.reads() || self.template == "/access/ticket"
    }

    /// A DELETE with a body is refused (501), so only POST and PUT have one.
    pub(crate) fn body(&self) -> Option<String> {
        (self.method == Method::POST || self.method == Method::PUT).then(|| self.params.encoded())
    }

    pub(crate) fn path_and_query(&self) -> String {
        if self.body().is_some() || self.params.0.is_empty() {
            return self.path.clone();
        }
        format!("{}?{}", self.path, self.params.encoded())
    }
}

/// Everything but the unreserved characters, so that one rule serves path, query and form: `+` alone would be a space.
fn escape(into: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(byte.into());
        } else {
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_filled_and_escaped() {
        let call = Call::get("/nodes/{node}/tasks/{upid}/status", &[&"pve1", &"UPID:pve1:root@pam!t1:"]);
        assert_eq!(call.path, "/nodes/pve1/tasks/UPID%3Apve1%3Aroot%40pam%21t1%3A/status");
    }

    #[test]
    fn parameters_stand_where_proxmox_looks_for_them() {
        let put = Call::put("/x", &[]).with("size", "+1G").with("onboot", true).with("description", "a b&c=ü\n");
        assert_eq!(put.body().unwrap(), "size=%2B1G&onboot=1&description=a%20b%26c%3D%C3%BC%0A");
        assert_eq!(put.path_and_query(), "/x");
        let delete = Call::delete("/x", &[]).with("purge", true);
        assert_eq!((delete.body(), delete.path_and_query().as_str()), (None, "/x?purge=1"));
    }

    #[test]
    fn a_password_is_not_in_debug() {
        let call = Call::post("/access/ticket", &[]).with("password", "tiger");
        assert!(!format!("{call:?}").contains("tiger"));
    }
}
