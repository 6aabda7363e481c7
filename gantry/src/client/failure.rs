//! What the API says when it can't, as a person reads it.

use reqwest::{Response, StatusCode};
use serde::Deserialize;

use crate::exit::{Exit, Failure};

#[derive(Deserialize)]
struct Problem {
    #[serde(rename = "type", default)]
    kind: String,
    title: String,
    detail: Option<String>,
    remedy: Option<String>,
    request_id: Option<String>,
    #[serde(default)]
    errors: Vec<Field>,
    holder: Option<String>,
}

#[derive(Deserialize)]
struct Field {
    field: String,
    problem: String,
    fix: String,
}

/// What the API said, and which kind of problem it is.
#[derive(Debug)]
struct Refused {
    words: String,
    kind: String,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words)
    }
}

impl std::error::Error for Refused {}

impl Failure {
    /// The password was right; a second factor is wanted too.
    pub(crate) fn needs_code(&self) -> bool {
        self.error.downcast_ref::<Refused>().is_some_and(|refused| refused.kind.ends_with("/code-required"))
    }
}

pub(super) fn unreachable(url: &str, error: reqwest::Error) -> Failure {
    Failure::from(anyhow::Error::new(error.without_url()).context(format!("the API at {url} does not answer")))
        .exit(Exit::Unreachable)
        .next("start it with `gantry serve`, or set GANTRY_URL to where it runs")
}

pub(super) fn unreadable(url: &str, error: reqwest::Error) -> Failure {
    Failure::from(anyhow::Error::new(error.without_url()).context(format!("{url} did not answer as Gantry does")))
        .exit(Exit::Unreachable)
        .next("see that GANTRY_URL leads to Gantry and to nothing else")
}

pub(super) async fn refused(response: Response) -> Failure {
    let (url, status) = (response.url().origin().ascii_serialization(), response.status());
    let text = response.text().await.unwrap_or_default();
    let Ok(problem) = serde_json::from_str::<Problem>(&text) else {
        return Failure::new(Exit::Refused, format!("{url} answered {status}"))
            .next("see that GANTRY_URL leads to Gantry and to nothing else");
    };
    let next = match status {
        StatusCode::UNAUTHORIZED => {
            Some("sign in with `gantry login`, or set GANTRY_TOKEN to a valid token; `gantry token new` on the server makes another one".to_owned())
        }
        StatusCode::INTERNAL_SERVER_ERROR => {
            problem.request_id.as_ref().map(|id| format!("look for {id} in the API's log"))
        }
        _ => problem.remedy.clone(),
    };
    let refused = Refused { words: problem.in_words(), kind: problem.kind };
    Failure { next, ..Failure::from(refused).exit(Exit::Refused) }
}

impl Problem {
    fn in_words(&self) -> String {
        let mut text = self.title.clone();
        if let Some(detail) = &self.detail {
            text += &format!(": {detail}");
        }
        for Field { field, problem, fix } in &self.errors {
            text += &format!("\n  {field}: {problem}; {fix}");
        }
        if let Some(holder) = &self.holder {
            text += &format!("\n  see {holder}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_is_wrong_is_told() {
        let text = r#"{"title":"Some values are not allowed","status":422,"errors":[
            {"field":"cores","problem":"0 is out of range","fix":"choose 1 to 128"},
            {"field":"hostname","problem":"is missing","fix":"give one"}]}"#;
        let words = serde_json::from_str::<Problem>(text).unwrap().in_words();
        assert_eq!(
            words,
            "Some values are not allowed\n  cores: 0 is out of range; choose 1 to 128\n  hostname: is missing; give one"
        );
    }
}
