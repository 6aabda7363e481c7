//! Every route, with every role, as the owner, as another account and as nobody: as `docs/access.md` says.

use domain::{Permission, Role};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::people::Somebody;
use crate::support::{TestApp, answer};

/// A line of the page.
struct Line {
    method: Method,
    path: String,
    needs: String,
    whose: String,
    roles: Vec<bool>,
}

fn page() -> Vec<Line> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/access.md")).unwrap();
    let lines = page.lines().filter(|line| line.contains("| /"));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            Line {
                method: cells[0].parse().unwrap(),
                path: cells[1].to_owned(),
                needs: cells[2].to_owned(),
                whose: cells[3].to_owned(),
                roles: cells[4..].iter().map(|cell| *cell == "yes").collect(),
            }
        })
        .collect()
}

#[test]
fn every_route_of_the_document_has_a_line_and_every_line_a_route() {
    let document: Value = serde_json::from_str(&api::openapi::document().unwrap()).unwrap();
    let mut routes: Vec<String> = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        routes.extend(item.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())));
    }
    let lines: Vec<String> = page().iter().map(|line| format!("{} {}", line.method, line.path)).collect();
    let add = "add a line to api/src/access/table.rs, then `cargo run -q -p api --example access`";
    for route in &routes {
        assert!(lines.contains(route), "{route} has no line in docs/access.md: {add}");
    }
    for line in &lines {
        assert!(routes.contains(line), "docs/access.md has {line}, which is no route: {add}");
    }
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let line =
                page().into_iter().find(|l| l.path == *path && l.method.as_str() == method.to_uppercase()).unwrap();
            if line.needs.contains(':') {
                assert_eq!(operation["x-access"]["permission"], line.needs, "{method} {path}");
            }
        }
    }
}

struct World {
    app: TestApp,
    account: String,
    roles: Vec<(Role, Somebody, Somebody)>,
    nobody: Somebody,
    member: Somebody,
    made: usize,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::start().await;
        let (account, other) = (app.account("shop").await, app.account("other").await);
        let mut roles = Vec::new();
        for role in Role::ALL {
            let mine = app.somebody(&format!("{role}@shop"), Some((&account, role.word()))).await;
            let theirs = app.somebody(&format!("{role}@other"), Some((&other, role.word()))).await;
            roles.push((role, mine, theirs));
        }
        let (nobody, member) =
            (app.somebody("nobody", None).await, app.somebody("x", Some((&account, "viewer"))).await);
        Self { app, account, roles, nobody, member, made: 0 }
    }

    /// The path with names of what is there and is the account's; made anew, for the call may take it away.
    async fn filled(&mut self, line: &Line) -> String {
        self.made += 1;
        let id = match line.whose.as_str() {
            "own account" => self.account.clone(),
            "container" | "operation" if line.path.contains("{id}") => {
                let (container, operation) = self.app.create_for(&self.account, &format!("c{}", self.made)).await;
                if line.whose == "container" { container } else { operation }
            }
            "invitation" => {
                let wish = json!({ "email": format!("guest{}@example.org", self.made) });
                let invite =
                    self.app.ask(Method::POST, "/v1/invitations").header("x-account", &self.account).json(&wish);
                answer(invite).await.1["id"].as_str().unwrap().to_owned()
            }
            "key" => {
                let wish = json!({ "name": "k", "scopes": ["containers:read"] });
                self.app.key(Some(&self.account), &wish).await.id
            }
            _ => Uuid::now_v7().to_string(),
        };
        line.path
            .replace("{id}", &id)
            .replace("{user}", &self.member.id)
            .replace("{name}", "web")
            .replace("{slug}", "busy")
    }

    async fn ask(&self, who: &Somebody, line: &Line, path: &str) -> (u16, Value) {
        // Some calls end the session that they are made in.
        let token = self.app.session(&who.id, 10).await;
        let request = self.app.as_of(&token, line.method.clone(), path);
        // No body fits every route; one that fits none must be refused for its own sake and no other.
        answer(request.header("content-type", "application/json").body("{\"none\": 1}").timeout(WAIT)).await
    }
}

const WAIT: std::time::Duration = std::time::Duration::from_secs(20);

/// What somebody is to be told: that they may, or which refusal.
fn expected(line: &Line, may: bool, sees: bool, owns: bool) -> Option<u16> {
    let named = line.path.contains("{id}");
    match (owns || line.whose == "installation" || !named, may, sees || !named) {
        (true, true, _) => None,
        (true, false, true) => Some(403),
        _ => Some(404),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_answers_every_role_as_the_page_says() {
    let mut world = World::new().await;
    let mut wrong = Vec::new();
    for line in page() {
        // A stream does not end; that it begins is told by its head, which `events.rs` looks at.
        let stream = line.path.ends_with("/events");
        let permission = Permission::ALL.iter().copied().find(|permission| permission.word() == line.needs);
        for (index, (role, mine, theirs)) in world.roles.clone().into_iter().enumerate() {
            let may = line.roles[index];
            let sees = permission.is_none_or(|permission| role.permits(permission.to_see()));
            for (who, owns, name) in [(&theirs, false, "other"), (&mine, true, "owner")] {
                let wanted = expected(&line, may, sees, owns);
                if stream && wanted.is_none() {
                    continue;
                }
                let path = world.filled(&line).await;
                let (status, body) = world.ask(who, &line, &path).await;
                let right = match wanted {
                    Some(refused) => status == refused,
                    None => !matches!(status, 401 | 403) && (status != 404 || !path.contains(&world.account)),
                };
                if !right {
                    wrong.push(format!(
                        "{} {path} as {role} ({name}): {status}, wanted {wanted:?}: {body}",
                        line.method
                    ));
                }
            }
        }
        let path = world.filled(&line).await;
        let (status, _) = world.ask(&world.nobody, &line, &path).await;
        let wanted = expected(&line, permission.is_none(), false, line.whose == "installation");
        if wanted.is_some_and(|wanted| status != wanted) || (wanted.is_none() && matches!(status, 401 | 403)) {
            wrong.push(format!("{} {path} as nobody: {status}, wanted {wanted:?}", line.method));
        }
        let (status, _) =
            answer(world.app.client.request(line.method.clone(), format!("{}{path}", world.app.url))).await;
        if (status == 401) == (line.needs == "nothing") {
            wrong.push(format!("{} {path} without a token: {status}", line.method));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_hold_what_is_ones_own_and_new_things_are_the_accounts() {
    let app = TestApp::start().await;
    let (shop, other) = (app.account("shop").await, app.account("other").await);
    let (container, operation) = app.create_for(&shop, "web1").await;
    app.create("of-nobody").await;
    let member = app.somebody("ann", Some((&shop, "member"))).await;
    let stranger = app.somebody("eve", Some((&other, "admin"))).await;
    for (path, id) in [("/v1/containers", &container), ("/v1/operations", &operation)] {
        let (_, mine) = answer(app.as_of(&member.token, Method::GET, path)).await;
        assert_eq!(mine["items"].as_array().unwrap().len(), 1);
        assert_eq!(mine["items"][0]["id"], id.as_str());
        let (status, theirs) = answer(app.as_of(&stranger.token, Method::GET, path)).await;
        assert_eq!((status, &theirs["items"]), (200, &json!([])));
        assert_eq!(app.get(path).await.1["items"].as_array().unwrap().len(), 2, "the installation sees all");
        let (_, acting) = answer(app.ask(Method::GET, path).header("x-account", &other)).await;
        assert_eq!(acting["items"], json!([]));
    }
    let (_, accounts) = answer(app.as_of(&stranger.token, Method::GET, "/v1/accounts")).await;
    assert_eq!(
        (accounts["items"].as_array().unwrap().len(), accounts["items"][0]["name"].as_str()),
        (1, Some("other"))
    );
    // The name is taken for everybody; by whom, only its owner is told.
    let wish = json!({ "hostname": "web1", "template": "plain" });
    for (who, told) in [(&member, true), (&stranger, false)] {
        let (status, problem) = answer(app.as_of(&who.token, Method::POST, "/v1/containers").json(&wish)).await;
        assert_eq!((status, problem.to_string().contains(&container)), (409, told), "{problem}");
    }
    // In another's name.
    let request = app.as_of(&stranger.token, Method::GET, "/v1/containers").header("x-account", &shop);
    assert_eq!(answer(request).await.0, 404);
    let mine = json!({ "hostname": "web2", "template": "plain" });
    let (status, made) = answer(app.as_of(&member.token, Method::POST, "/v1/containers").json(&mine)).await;
    assert_eq!(status, 202);
    let path = format!("/v1/containers/{}", made["container"].as_str().unwrap());
    assert_eq!(answer(app.as_of(&stranger.token, Method::GET, &path)).await.0, 404);
    assert_eq!(answer(app.as_of(&member.token, Method::DELETE, &path)).await.0, 403, "may see it, may not delete it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_who_acts_for_an_account_is_recorded_as_such() {
    let app = TestApp::start().await;
    let shop = app.account("shop").await;
    let admin = app.user("root", true).await;
    let token = app.session(&admin, 10).await;
    let (container, operation) = app.create_for(&shop, "web1").await;
    let path = format!("/v1/operations/{operation}/cancel");
    let (status, _) = answer(app.as_of(&token, Method::POST, &path).header("x-account", &shop)).await;
    assert_eq!(status, 202);
    app.work(operation.parse().unwrap(), false).await;
    let delete =
        app.as_of(&token, Method::DELETE, &format!("/v1/containers/{container}")).header("x-reason", "asked to");
    assert_eq!(answer(delete).await.0, 202);
    let events = app.app.log.read(domain::Position(0), 1000).await.unwrap();
    let last = events.iter().rev().find(|event| event.kind == "operation.accepted").unwrap();
    assert_eq!(last.meta.actor.to_string(), format!("user:{admin}"));
    assert_eq!(last.meta.account.unwrap().to_string(), shop);
    assert_eq!(last.meta.reason.as_deref(), Some("asked to"));
}
