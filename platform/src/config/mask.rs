//! Settings are shown to people; passwords are not.

/// The URL with its passwords masked, in front of the host and among the parameters.
pub(super) fn url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    // The last `@` of all: what is unescaped in a password must not let the rest of it through.
    let rest = match rest.rsplit_once('@') {
        Some((who, place)) => match who.split_once(':') {
            Some((user, _)) => format!("{user}:***@{place}"),
            None => rest.to_owned(),
        },
        None => rest.to_owned(),
    };
    let Some((place, parameters)) = rest.split_once('?') else { return format!("{scheme}://{rest}") };
    let masked = |parameter: &str| match parameter.split_once('=') {
        Some((name, _)) if name.to_ascii_lowercase().contains("pass") => format!("{name}=***"),
        _ => parameter.to_owned(),
    };
    let parameters: Vec<String> = parameters.split('&').map(masked).collect();
    format!("{scheme}://{place}?{}", parameters.join("&"))
}

/// A value as it may be shown.
pub(super) fn value(key: &str, value: &str) -> String {
    match key {
        "vault.keys" | "oidc.client_secret" | "traces.headers" if !value.is_empty() => "***".to_owned(),
        "database.url" | "redis.url" | "mail.url" | "traces.endpoint" => url(value),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_password_is_shown() {
        for (given, shown) in [
            ("postgres://gantry:s3cret@db:5432/gantry", "postgres://gantry:***@db:5432/gantry"),
            ("postgres://gantry:s3/c@r?et@db/gantry", "postgres://gantry:***@db/gantry"),
            ("redis://:s3cret@r", "redis://:***@r"),
            ("postgres://db/gantry?user=a&password=s3cret&x=1", "postgres://db/gantry?user=a&password=***&x=1"),
            ("postgres://gantry@db/gantry", "postgres://gantry@db/gantry"),
            ("sqlite:gantry.db", "sqlite:gantry.db"),
        ] {
            let masked = super::url(given);
            assert!(!masked.contains("s3"), "{masked}");
            assert_eq!(masked, shown);
        }
        assert_eq!(super::value("vault.keys", "00ff"), "***");
    }
}
