//! The description of the API (`docs/openapi.json`) against what a running gateway answers.

use crate::network::repository;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What the committed document says. A unit test of `api-types` holds it against the code.
pub struct Description {
    document: Value,
}

/// What stands for a parameter of a path in this network.
pub type Known<'a> = &'a [(&'a str, String)];

impl Description {
    pub fn read() -> Self {
        let path = repository().join("docs/openapi.json");
        let document = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        Self { document }
    }

    /// All paths, as the document writes them.
    pub fn paths(&self) -> BTreeSet<String> {
        let paths = self.document["paths"].as_object().unwrap();
        paths.keys().cloned().collect()
    }

    /// All operations, as `get /api/v1/…`.
    pub fn operations(&self) -> BTreeSet<String> {
        let paths = self.document["paths"].as_object().unwrap();
        let of_path = |(path, methods): (&String, &Value)| {
            let methods = methods.as_object().unwrap().keys();
            methods
                .map(|method| format!("{method} {path}"))
                .collect::<Vec<_>>()
        };
        paths.iter().flat_map(of_path).collect()
    }

    /// Asks for every described path that is read, and holds each answer against its schema. Gives the paths whose
    /// answer was a success. What is not known of a path's parameters leaves it out.
    pub fn check_reads(&self, gateway: &str, known: Known<'_>) -> BTreeSet<String> {
        let mut successes = BTreeSet::new();
        for path in self.paths() {
            let operation = &self.document["paths"][&path]["get"];
            let is_json = operation["responses"]["200"]["content"]["application/json"].is_object();
            let Some(filled) = fill(&path, known).filter(|_| is_json) else {
                continue;
            };
            let answer = reqwest::blocking::get(format!("{gateway}{filled}")).unwrap();
            if self.check("get", &path, answer) == 200 {
                successes.insert(path);
            }
        }
        successes
    }

    /// Holds an answer against what is described for its status; gives the status.
    pub fn check(&self, method: &str, path: &str, answer: reqwest::blocking::Response) -> u16 {
        let status = answer.status().as_u16();
        let media_type = answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        let body: Value = answer.json().unwrap_or(Value::Null);

        let responses = &self.document["paths"][path][method]["responses"];
        let described = match &responses[status.to_string()] {
            Value::Null => &responses["default"],
            described => described,
        };
        let schema = &described["content"][&media_type]["schema"];
        let is_described = schema.is_object();
        assert!(
            is_described,
            "{method} {path}: {status} as {media_type} is not described"
        );

        // References lead into the document's components.
        let schema = json!({ "allOf": [schema], "components": self.document["components"] });
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let wrong: Vec<String> = validator
            .iter_errors(&body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(
            wrong.is_empty(),
            "{method} {path} answers {body}: {wrong:?}"
        );
        status
    }
}

/// The path with known values in place of its parameters, or none when one is not known.
fn fill(path: &str, known: Known<'_>) -> Option<String> {
    let mut filled = path.to_owned();
    for (name, value) in known {
        filled = filled.replace(&format!("{{{name}}}"), value);
    }
    (!filled.contains('{')).then_some(filled)
}
