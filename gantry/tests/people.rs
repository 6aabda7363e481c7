//! People, keys and accounts from the command line.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod run;

use run::{Call, gantry, json, sqlite};

#[test]
fn a_person_is_made_signs_in_and_works_with_what_is_theirs() {
    let dir = tempfile::tempdir().unwrap();
    let call = gantry(&["serve", "--listen", "127.0.0.1:0"]).dir(dir.path());
    let token = run::token(&sqlite(dir.path(), "gantry.db"));
    let mut running = call.database(&sqlite(dir.path(), "gantry.db")).env("GANTRY_LOG__FILTER", "error").start();
    let (url, _) = running.first_words();
    let contexts = dir.path().join("contexts.json").display().to_string();
    let boss = |arguments: &[&str]| -> Call { gantry(arguments).env("GANTRY_URL", &url).env("GANTRY_TOKEN", &token) };
    let ann = |arguments: &[&str]| -> Call { gantry(arguments).env("GANTRY_CONTEXTS", &contexts) };

    let shop = json(boss(&["accounts", "open", "shop", "--json"]));
    let user = json(boss(&["users", "create", "ann", "--json"]));
    assert_eq!(json(boss(&["accounts", "grant", "shop", "ann", "admin", "--json"]))["role"], "admin");
    assert_eq!(json(boss(&["quota", "shop", "--containers", "3", "--json"]))["quota"]["containers"], 3);
    let nobody = ann(&["ls"]).run();
    assert!(nobody.code == 2 && nobody.stderr.contains("gantry login"), "{}", nobody.stderr);

    let link = user["password_link"].as_str().unwrap();
    let login = ann(&["login", "ann", "--set-password", "--url", &url])
        .env("GANTRY_PASSWORD_LINK", link)
        .env("GANTRY_PASSWORD", "correct horse battery")
        .run();
    assert_eq!(login.code, 0, "{}", login.stderr);
    assert_eq!(json(ann(&["ls", "--json"]))["items"], serde_json::json!([]));
    let me = json(ann(&["api", "get", "/v1/me", "--json"]));
    assert_eq!(me["account"], shop["id"]);
    let refused = ann(&["host", "list"]).run();
    assert!(refused.code == 6 && refused.stderr.contains("hosts:read"), "{}", refused.stderr);

    // A token that ran out is renewed without a word.
    let kept = std::fs::read_to_string(&contexts).unwrap();
    let access = me_token(&kept);
    std::fs::write(&contexts, kept.replace(&access, "gantry_access_0")).unwrap();
    assert_eq!(json(ann(&["api", "get", "/v1/me", "--json"]))["account"], shop["id"]);
    assert_ne!(me_token(&std::fs::read_to_string(&contexts).unwrap()), access);

    let key = ann(&["api-keys", "issue", "ci", "--scope", "containers:read"]).run();
    assert!(key.stdout.starts_with("gantry_key_"), "{}{}", key.stdout, key.stderr);
    let by_key = gantry(&["ls", "--json"]).env("GANTRY_URL", &url).env("GANTRY_TOKEN", key.stdout.trim());
    assert_eq!(json(by_key)["items"], serde_json::json!([]));
    let id = json(ann(&["api-keys", "list", "--json"]))["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(ann(&["api-keys", "revoke", &id]).run().code, 0);
    let audit = json(ann(&["audit", "--resource", "api_key", "--json"]));
    let actions: Vec<&str> = audit["items"].as_array().unwrap().iter().map(|e| e["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["api_key.revoked", "api_key.issued"]);

    assert_eq!(ann(&["logout"]).run().code, 0);
    assert_eq!(ann(&["ls"]).run().code, 2);
    assert!(!std::fs::read_to_string(&contexts).unwrap().contains("gantry_access_"));
    assert_eq!(running.end(), 0);
}

fn me_token(contexts: &str) -> String {
    let all: serde_json::Value = serde_json::from_str(contexts).unwrap();
    all["contexts"]["default"]["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn shells_and_man_are_told_what_there_is() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = gantry(&["completions", shell]).run();
        assert!(ran.code == 0 && ran.stdout.contains("api-keys"), "{shell}");
    }
    let page = gantry(&["manual"]).run();
    assert!(page.code == 0 && page.stdout.starts_with(".ie") && page.stdout.contains("gantry"), "{}", page.stdout);
    let page = gantry(&["manual", "api-keys", "issue"]).run();
    assert!(page.stdout.contains("scope"), "{}", page.stdout);
}
