use reqwest::Method;
use serde_json::Value;

use crate::access::routes;
use crate::support::{TestApp, answer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_is_served_with_its_reader() {
    let app = TestApp::start().await;
    let bare = |path: &str| app.client.get(format!("{}{path}", app.url));
    let (status, served) = answer(bare("/openapi.json")).await;
    let committed: Value = serde_json::from_str(&api::openapi::document().unwrap()).unwrap();
    assert_eq!((status, served), (200, committed));
    let page = bare("/docs/").send().await.unwrap();
    assert_eq!(page.status(), 200);
    let text = page.text().await.unwrap();
    assert!(text.contains("swagger") && !text.contains("https://"), "the reader needs no other host");
    assert_eq!(bare("/livez").send().await.unwrap().status(), 200);
    let (status, ready) = answer(bare("/readyz")).await;
    assert_eq!((status, ready["status"].as_str()), (200, Some("ok")));
    let (status, metrics) = answer(app.ask(Method::GET, "/metrics")).await;
    assert_eq!((status, metrics.as_str()), (200, Some("# here would be measurements\n")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_of_problem_leads_to_its_page() {
    let app = TestApp::start().await;
    for kind in api::problem::Kind::ALL {
        let (slug, _, title, _) = kind.row();
        let (status, page) = answer(app.client.get(format!("{}/problems/{slug}", app.url))).await;
        assert!(status == 200 && page.as_str().unwrap().contains(title), "{slug}");
        let (_, all) = answer(app.client.get(format!("{}/problems", app.url))).await;
        assert!(all.as_str().unwrap().contains(&format!("/problems/{slug}\"")), "{slug}");
    }
    assert_eq!(answer(app.client.get(format!("{}/problems/none", app.url))).await.0, 404);
}

/// What a route answers is among what it says that it answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_route_answers_otherwise_than_documented() {
    let app = TestApp::start().await;
    let document: Value = serde_json::from_str(&api::openapi::document().unwrap()).unwrap();
    let ids: Vec<&str> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), ids.len(), "{ids:?}");
    for (method, path, _) in routes() {
        for body in ["{}", "nonsense"] {
            let request = app.ask(method.clone(), &path).header("content-type", "application/json").body(body);
            let status = request.send().await.unwrap().status().as_str().to_owned();
            let known =
                document["paths"].as_object().unwrap().iter().find(|(pattern, _)| fits(pattern, &path)).unwrap().1;
            let answers = known[method.as_str().to_lowercase()]["responses"].as_object().unwrap();
            assert!(answers.contains_key(&status), "{method} {path}: {status}");
        }
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len() && pattern.iter().zip(path).all(|(a, b)| a.starts_with('{') || *a == b)
}

#[test]
fn every_body_that_goes_in_or_out_has_an_example() {
    let document: Value = serde_json::from_str(&api::openapi::document().unwrap()).unwrap();
    let shown =
        |content: &Value| content.get("example").is_some_and(|one| !one.is_null()) || content["examples"].is_object();
    let (mut requests, mut answers) = (0, 0);
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for (kind, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
                requests += 1;
                assert!(shown(content), "{method} {path} takes {kind} and shows none");
            }
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let answer = match answer["$ref"].as_str() {
                    Some(to) => document.pointer(to.trim_start_matches('#')).unwrap_or_else(|| panic!("{to}")),
                    None => answer,
                };
                for (kind, content) in answer["content"].as_object().into_iter().flatten() {
                    answers += 1;
                    assert!(shown(content), "{method} {path} answers {status} with {kind} and shows none");
                }
            }
        }
    }
    assert!(requests > 20 && answers > 400, "{requests} {answers}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_in_words_has_its_own_methods_and_not_those_of_its_neighbour() {
    let app = TestApp::start().await;
    for (path, own, others) in [
        ("/v1/templates/refresh", "POST", ["PUT", "DELETE", "PATCH"]),
        ("/v1/invitations/accept", "POST", ["PUT", "DELETE", "PATCH"]),
    ] {
        for method in others {
            let response = app.ask(method.parse().unwrap(), path).send().await.unwrap();
            assert_eq!(response.status(), 405, "{method} {path}");
            assert_eq!(response.headers()["allow"], own, "{method} {path}");
        }
    }
    assert_eq!(app.post("/v1/templates/refresh", &serde_json::json!({})).await.0, 200);
}
