//! Templates that change while containers are made from them: who is behind, and how they are brought up, from the
//! command line down to the guests' files.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[allow(dead_code, reason = "not all that can be asked is")]
#[path = "../../worker/tests/pipeline/asks.rs"]
mod asks;
#[allow(dead_code, reason = "not all that can be looked at is")]
#[path = "../../worker/tests/pipeline/checks.rs"]
mod checks;
mod run;
#[path = "../src/process/copies.rs"]
mod seam;
#[path = "../src/process/guests.rs"]
mod seen;
#[path = "../../worker/tests/pipeline/servers.rs"]
mod servers;
#[path = "../../worker/tests/pipeline/support.rs"]
mod support;
#[path = "../../worker/tests/pipeline/tiny.rs"]
mod tiny;
#[allow(dead_code, reason = "nothing is cut off here")]
#[path = "../../worker/tests/pipeline/trips.rs"]
mod trips;
mod whole;

use run::{Ran, gantry};
use serde_json::{Value, json};
use whole::Whole;

async fn cli(whole: &Whole, arguments: &[&str]) -> Ran {
    let call = gantry(arguments).env("GANTRY_URL", &whole.url).env("GANTRY_TOKEN", &whole.token);
    tokio::task::spawn_blocking(move || call.run()).await.unwrap()
}

/// Writes a part of the template `tiny`, and waits until it is seen.
async fn write(whole: &Whole, part: &str, content: &str) {
    let version = async || whole.ask("GET", "/v1/templates/tiny", Value::Null).await.1["version"].clone();
    let before = version().await;
    std::fs::write(whole.world.dir.path().join("templates/tiny/container-configs").join(part), content).unwrap();
    while version().await == before {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

async fn rules(whole: &Whole, ids: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    for id in ids {
        all.push(whole.in_guest(id, "cat /etc/tiny/rules").await.trim().to_owned());
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_a_template_are_brought_up_in_waves_and_the_first_that_fails_ends_it() {
    let whole = Whole::start().await;
    let mut ids = Vec::new();
    for name in ["web1", "web2", "web3"] {
        let wish = json!({ "hostname": name, "template": "tiny" });
        let made = whole.done("POST", "/v1/containers", wish).await;
        ids.push(made["summary"]["container"].as_str().unwrap().to_owned());
    }
    let none = cli(&whole, &["update", "--template", "tiny"]).await;
    assert!(none.code == 0 && none.stdout.contains("No container of tiny is behind"), "{}{}", none.stdout, none.stderr);
    write(&whole, "files/rules", "allow=everybody\n").await;
    let behind = cli(&whole, &["template", "behind", "tiny"]).await;
    assert!(
        behind.stdout.contains("web1") && behind.stdout.contains("file /etc/tiny/rules changed"),
        "{}",
        behind.stdout
    );

    // One has been changed by hand: told beforehand, refused, and the rest is left as it was.
    whole.in_guest(&ids[1], "echo allow=me >/etc/tiny/rules").await;
    let plan = cli(&whole, &["update", "web2", "--dry-run"]).await;
    assert!(plan.code == 6 && plan.stdout.contains("changed in the container and in the template"), "{}", plan.stdout);
    let all = cli(&whole, &["update", "--template", "tiny", "--wave", "1", "--dry-run"]).await;
    assert!(all.stdout.contains("can be updated") && all.stdout.contains("in conflict"), "{}", all.stdout);
    assert_eq!(rules(&whole, &ids).await, ["allow=nobody", "allow=me", "allow=nobody"]);
    // The newest come first.
    let waves = cli(&whole, &["update", "--template", "tiny", "--wave", "1"]).await;
    assert_eq!(waves.code, 3, "{}{}", waves.stdout, waves.stderr);
    assert!(waves.stderr.contains("1 failed, 1 of 3 are left"), "{}", waves.stderr);
    assert_eq!(rules(&whole, &ids).await, ["allow=nobody", "allow=me", "allow=everybody"]);

    let taken = cli(&whole, &["update", "web2", "--take", "/etc/tiny/rules=ours"]).await;
    assert_eq!(taken.code, 0, "{}{}", taken.stdout, taken.stderr);
    let rest = cli(&whole, &["update", "--template", "tiny"]).await;
    assert_eq!(rest.code, 0, "{}{}", rest.stdout, rest.stderr);
    assert_eq!(rules(&whole, &ids).await, ["allow=everybody", "allow=me", "allow=everybody"]);
    let history = cli(&whole, &["template", "history", "web1", "--json"]).await;
    let history: Value = serde_json::from_str(&history.stdout).unwrap();
    assert_eq!((history["history"].as_array().unwrap().len(), &history["behind"]), (2, &json!(false)), "{history}");
    let applied = cli(&whole, &["apply", "web1"]).await;
    assert_eq!(applied.code, 0, "{}{}", applied.stdout, applied.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_breaks_its_service_is_taken_back() {
    let whole = Whole::start().await;
    let made = whole.done("POST", "/v1/containers", json!({ "hostname": "web1", "template": "tiny" })).await;
    let id = made["summary"]["container"].as_str().unwrap().to_owned();
    write(&whole, "files/rules", "allow=everybody\n").await;
    write(&whole, "scripts/90-break.sh", "systemctl disable --now nginx\n").await;
    let failed = cli(&whole, &["update", "web1"]).await;
    assert_eq!(failed.code, 3, "{}{}", failed.stdout, failed.stderr);
    assert!(failed.stderr.contains("nothing listens on tcp:80"), "{}", failed.stderr);
    assert_eq!(rules(&whole, std::slice::from_ref(&id)).await, ["allow=nobody"]);
    whole.in_guest(&id, "systemctl is-active nginx").await;
    let (_, list) = whole.ask("GET", &format!("/v1/containers/{id}/snapshots"), Value::Null).await;
    assert_eq!(list["items"], json!([]));
    let (_, of) = whole.ask("GET", &format!("/v1/containers/{id}/template"), Value::Null).await;
    assert_eq!((&of["behind"], of["history"].as_array().unwrap().len()), (&json!(true), 1), "{of}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_a_new_version_asks_is_answered_with_the_update() {
    let whole = Whole::start().await;
    let made = whole.done("POST", "/v1/containers", json!({ "hostname": "web1", "template": "tiny" })).await;
    let id = made["summary"]["container"].as_str().unwrap().to_owned();
    let conf = whole.world.dir.path().join("templates/tiny/template.conf");
    let before = std::fs::read_to_string(&conf).unwrap();
    std::fs::write(&conf, format!("{before}TEMPLATE_INPUTS=\"COLOUR|choice||red,green|Which colour\"\n")).unwrap();
    write(&whole, "scripts/40-paint.sh", "echo \"$COLOUR\" >/srv/colour\n").await;
    let path = format!("/v1/containers/{id}/update");
    for (answers, problem) in [
        (json!({}), "is missing"),
        (json!({ "COLOUR": "blue" }), "red"),
        (json!({ "COLOUR": "red", "SHAPE": "round" }), "is not asked"),
    ] {
        for dry in ["", "?dry_run=true"] {
            let (status, told) = whole.ask("POST", &format!("{path}{dry}"), json!({ "inputs": answers })).await;
            assert!(status == 422 && told["errors"].to_string().contains(problem), "{answers}: {told}");
        }
    }
    let answered = cli(&whole, &["update", "web1", "--input", "COLOUR=green"]).await;
    assert_eq!(answered.code, 0, "{}{}", answered.stdout, answered.stderr);
    let colour = async || whole.in_guest(&id, "cat /srv/colour; rm /srv/colour").await.trim().to_owned();
    assert_eq!(colour().await, "green");
    // From now on that is its answer.
    let applied = cli(&whole, &["apply", "web1"]).await;
    assert_eq!((applied.code, colour().await), (0, "green".to_owned()), "{}{}", applied.stdout, applied.stderr);
    // Given anew it goes with the update, and not when that fails.
    write(&whole, "scripts/90-break.sh", "[ \"$COLOUR\" = green ]\n").await;
    let failed = cli(&whole, &["update", "web1", "--input", "COLOUR=red"]).await;
    assert_eq!(failed.code, 3, "{}{}", failed.stdout, failed.stderr);
    let kept = cli(&whole, &["update", "web1"]).await;
    assert_eq!((kept.code, colour().await), (0, "green".to_owned()), "{}{}", kept.stdout, kept.stderr);
}
