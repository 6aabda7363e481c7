use super::*;

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn from(environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::load(&Sources { environment: pairs(environment), ..Sources::default() })
}

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gantry.toml");
    std::fs::write(&path, text).unwrap();
    (directory, path)
}

fn setting(config: &Config, key: &str) -> (String, Source) {
    let found = config.report().iter().find(|setting| setting.key == key).unwrap();
    (found.value.clone(), found.source.clone())
}

#[test]
fn the_defaults_are_whole() {
    let config = from(&[]).unwrap();
    assert_eq!(config.database.url.expose(), "sqlite:gantry.db");
    assert!(config.redis.url.is_none() && config.vault.keys.is_none());
    assert!(config.report().iter().all(|setting| setting.source == Source::Default));
    config.check(Role::Serve).unwrap();
}

#[test]
fn each_layer_lies_over_the_one_before() {
    let (_directory, path) = file("[api]\nlisten = '0.0.0.0:1'\nworkers = 3\n[worker]\nslots = 5\nlease_s = 9\n");
    let config = Config::load(&Sources {
        file: Some(path.clone()),
        environment: pairs(&[
            ("GANTRY_API__LISTEN", "0.0.0.0:2"),
            ("GANTRY_WORKER__SLOTS", "6"),
            ("GANTRY_WORKER__DOWNLOAD_IMAGES", "false"),
            ("GANTRY_LOG__FILTER", ""),
            ("GANTRY_DATABASE__URL", "postgres://long/x"),
            ("DATABASE_URL", "postgres://short/x"),
        ]),
        flags: pairs(&[("api.listen", "0.0.0.0:3")]),
    })
    .unwrap();
    assert_eq!((config.api.listen.port(), config.api.workers), (3, 3));
    assert_eq!((config.worker.slots, config.worker.lease_s, config.worker.download_images), (6, 9, false));
    assert_eq!(config.database.url.expose(), "postgres://long/x");
    assert_eq!(setting(&config, "api.listen"), ("0.0.0.0:3".into(), Source::Flag));
    assert_eq!(setting(&config, "api.workers"), ("3".into(), Source::File(path)));
    assert_eq!(setting(&config, "worker.slots").1, Source::Environment("GANTRY_WORKER__SLOTS".into()));
    assert_eq!(setting(&config, "log.filter"), ("info".into(), Source::Default));
}

#[test]
fn an_unknown_key_is_named_with_its_nearest() {
    let (_directory, path) = file("[api]\nlissten = '0.0.0.0:1'\n");
    let refused = Config::load(&Sources { file: Some(path), ..Sources::default() }).unwrap_err().to_string();
    assert!(refused.contains("`api.lissten`") && refused.contains("`api.listen`"), "{refused}");
    let refused = from(&[("GANTRY_WORKER__SLOT", "3")]).unwrap_err().to_string();
    assert!(refused.contains("GANTRY_WORKER__SLOT") && refused.contains("`worker.slots`"), "{refused}");
    let flags = pairs(&[("listen", "x")]);
    assert!(matches!(
        Config::load(&Sources { flags, ..Sources::default() }),
        Err(ConfigError::UnknownKey { from: Source::Flag, .. })
    ));
}

#[test]
fn a_wrong_value_says_where_and_what_instead() {
    for (name, value, key, wanted) in [
        ("GANTRY_WORKER__SLOTS", "many", "worker.slots", "whole number"),
        ("GANTRY_WORKER__SLOTS", "0", "worker.slots", "between 1 and"),
        ("GANTRY_WORKER__DOWNLOAD_IMAGES", "yes", "worker.download_images", "true or false"),
        ("GANTRY_API__LISTEN", "localhost", "api.listen", "0.0.0.0:8080"),
        ("GANTRY_LOG__FORMAT", "xml", "log.format", "human or json"),
        ("GANTRY_LOG__FILTER", "a=b=c", "log.filter", "levels"),
        ("DATABASE_URL", "mysql://u:s3cret@h/d", "database.url", "sqlite:"),
        ("REDIS_URL", "tcp://:s3cret@h", "redis.url", "rediss"),
    ] {
        let refused = from(&[(name, value)]).unwrap_err().to_string();
        assert!(refused.contains(name) && refused.contains(key) && refused.contains(wanted), "{refused}");
        assert!(!refused.contains("s3cret"), "{refused}");
    }
    let (_directory, path) = file("[api]\nworkers = 1\nlisten = = 2\n");
    let refused = Config::load(&Sources { file: Some(path), ..Sources::default() }).unwrap_err();
    assert!(matches!(refused, ConfigError::Syntax { line: 3, .. }), "{refused}");
    let missing = Sources { file: Some("/nowhere/gantry.toml".into()), ..Sources::default() };
    assert!(Config::load(&missing).unwrap_err().to_string().contains("/nowhere/gantry.toml"));
}

#[test]
fn half_a_backend_is_refused() {
    let (postgres, redis) = (("DATABASE_URL", "postgres://h/d"), ("REDIS_URL", "redis://h"));
    let check = |environment: &[(&str, &str)], role| from(environment).unwrap().check(role);
    assert!(matches!(check(&[redis], Role::Serve), Err(ConfigError::RedisWithoutPostgres)));
    assert!(matches!(check(&[redis], Role::Tool), Err(ConfigError::RedisWithoutPostgres)));
    for role in [Role::Api, Role::Worker] {
        assert!(matches!(check(&[], role), Err(ConfigError::NeedsPostgres { .. })));
        assert!(matches!(check(&[postgres], role), Err(ConfigError::NeedsRedis { .. })));
        check(&[postgres, redis], role).unwrap();
    }
    check(&[postgres], Role::Serve).unwrap();
    check(&[postgres, redis], Role::Serve).unwrap();
}

#[test]
fn keys_are_set_or_beside_the_database() {
    let keys = |environment: &[(&str, &str)]| from(environment).unwrap().keys();
    assert!(keys(&[("GANTRY_VAULT_KEYS", KEY)]).is_ok());
    let refused = keys(&[("GANTRY_VAULT_KEYS", &KEY[1..])]).unwrap_err().to_string();
    assert!(refused.contains("63 characters") && !refused.contains(&KEY[1..20]), "{refused}");
    let refused = keys(&[("DATABASE_URL", "postgres://h/d")]).unwrap_err().to_string();
    assert!(refused.contains("GANTRY_VAULT_KEYS") && refused.contains("gantry keys new"), "{refused}");
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/g.db?mode=rwc", directory.path().display());
    assert!(keys(&[("DATABASE_URL", &url)]).is_ok());
    assert!(directory.path().join("g.db.keys").is_file());
}

#[test]
fn nothing_secret_is_reported_or_printed() {
    let given =
        [("GANTRY_VAULT_KEYS", KEY), ("DATABASE_URL", "postgres://u:s3cret@h/d"), ("REDIS_URL", "redis://:s3cret@h")];
    let config = from(&given).unwrap();
    let shown = format!("{config:?} {:?}", config.report());
    assert!(!shown.contains("s3cret") && !shown.contains(KEY), "{shown}");
    assert_eq!(setting(&config, "vault.keys").0, "***");
    assert_eq!(setting(&config, "database.url").0, "postgres://u:***@h/d");
}

#[test]
fn the_page_about_settings_is_current() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
    assert!(
        std::fs::read_to_string(page).unwrap() == reference(),
        "run: cargo run -p platform --example configuration > docs/configuration.md"
    );
}
