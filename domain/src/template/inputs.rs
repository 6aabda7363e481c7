//! `TEMPLATE_INPUTS`: questions that a template asks, one a line: `NAME|type|default|rule|help`.

use serde::{Deserialize, Serialize};

use super::Finding;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The variable that scripts see.
    pub name: String,
    #[serde(flatten)]
    pub kind: InputKind,
    /// Without one an answer is required.
    pub default: Option<String>,
    pub help: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum InputKind {
    String { max: usize },
    Integer { min: i64, max: i64 },
    Boolean,
    Choice { choices: Vec<String> },
    Secret,
}

impl Input {
    /// # Errors
    /// What is wrong with the answer, in words for the one who gave it. Never repeats a secret.
    pub fn check(&self, answer: &str) -> Result<(), String> {
        match &self.kind {
            InputKind::String { max } if answer.chars().count() > *max => {
                Err(format!("is longer than {max} characters"))
            }
            InputKind::String { .. } | InputKind::Secret if answer.contains(['\n', '\0']) => {
                Err("must be one line".into())
            }
            InputKind::Integer { min, max } => match answer.parse::<i64>() {
                Ok(number) if (*min..=*max).contains(&number) => Ok(()),
                _ => Err(format!("must be a whole number from {min} to {max}")),
            },
            InputKind::Boolean if !["true", "false"].contains(&answer) => Err("must be true or false".into()),
            InputKind::Choice { choices } if !choices.iter().any(|c| c == answer) => {
                Err(format!("must be one of {}", choices.join(", ")))
            }
            InputKind::Secret if answer.is_empty() => Err("must not be empty".into()),
            _ => Ok(()),
        }
    }
}

/// # Errors
/// Every line that is no question; `line` is where the key stands.
pub fn parse_inputs(text: &str, line: usize) -> Result<Vec<Input>, Vec<Finding>> {
    let mut inputs: Vec<Input> = Vec::new();
    let mut findings = Vec::new();
    for (at, row) in text.lines().enumerate().filter(|(_, row)| !row.trim().is_empty()) {
        match one(row) {
            Ok(input) if inputs.iter().any(|i| i.name == input.name) => {
                findings.push(Finding::error(line + at, format!("{} is asked twice", input.name), "keep one of them"));
            }
            Ok(input) => inputs.push(input),
            Err(problem) => findings.push(Finding::error(line + at, problem, "write NAME|type|default|rule|help")),
        }
    }
    if findings.is_empty() { Ok(inputs) } else { Err(findings) }
}

fn one(row: &str) -> Result<Input, String> {
    let mut parts = row.splitn(5, '|').map(str::trim);
    let mut part = || parts.next().unwrap_or_default();
    let (name, kind, default, rule, help) = (part(), part(), part(), part(), part());
    let plain = name.bytes().next().is_some_and(|b| b.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if !plain {
        return Err(format!("{name} is no variable name (capital letters, digits, _)"));
    }
    let kind = match kind {
        "string" => InputKind::String { max: if rule.is_empty() { 1024 } else { number(rule)? } },
        "integer" if rule.is_empty() => InputKind::Integer { min: i64::MIN, max: i64::MAX },
        "integer" => {
            let (min, max) = rule.split_once("..").ok_or_else(|| format!("{rule} is no range like 1..10"))?;
            InputKind::Integer { min: number(min)?, max: number(max)? }
        }
        "boolean" => InputKind::Boolean,
        "choice" if rule.is_empty() => return Err(format!("{name} has no choices")),
        "choice" => InputKind::Choice { choices: rule.split(',').map(|c| c.trim().to_owned()).collect() },
        "secret" if default.is_empty() => InputKind::Secret,
        "secret" => return Err(format!("{name}: a secret has no default")),
        other => return Err(format!("{other} is no type: string, integer, boolean, choice or secret")),
    };
    let default = (!default.is_empty()).then(|| default.to_owned());
    let input = Input { name: name.into(), kind, default, help: help.into() };
    match input.default.as_deref().map(|default| input.check(default)) {
        Some(Err(problem)) => Err(format!("{name}: its default {problem}")),
        _ => Ok(input),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.trim().parse().map_err(|_| format!("{text} is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_checks_its_answers() {
        let inputs =
            parse_inputs("PORT|integer|8080|1..65535|Where it listens\nMODE|choice|a|a,b|\nPW|secret|||\n", 1).unwrap();
        assert!(inputs[0].check("8081").is_ok() && inputs[0].check("0").is_err());
        assert!(inputs[1].check("b").is_ok() && inputs[1].check("c").unwrap_err().contains("a, b"));
        assert!(inputs[2].check("").is_err() && inputs[2].default.is_none());
    }

    #[test]
    fn a_wrong_line_is_told_by_number() {
        let findings = parse_inputs("PORT|integer|x||\nbad|string\nA|string\nA|string", 7).unwrap_err();
        assert_eq!(findings.iter().map(|f| f.line).collect::<Vec<_>>(), [7, 8, 10]);
    }
}
