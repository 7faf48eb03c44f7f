//! What may never depend on what (docs/ARCHITECTURE.md), checked over manifests and sources.

use crate::described::Description;
use crate::network::repository;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

const SERVICES: [&str; 5] = ["sidechain", "relayer", "indexer", "gateway", "video-agent"];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(repository())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Crate → its direct dependencies, tests' own left out.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let metadata = metadata();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let direct = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap();
        all.iter()
            .filter(|dependency| dependency["kind"].is_null())
            .map(name)
            .collect()
    };
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (name(package), direct(package)))
        .collect()
}

/// A dependency that nothing names is built and audited for nothing.
#[test]
fn each_crate_names_what_it_depends_on() {
    let metadata = metadata();
    let mut checked = 0;
    for package in metadata["packages"].as_array().unwrap() {
        let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
        let folder = manifest.parent().unwrap();
        let text: String = ["src", "tests", "benches"]
            .iter()
            .map(|part| folder.join(part))
            .filter(|part| part.is_dir())
            .flat_map(|part| sources(&part))
            .map(|(_, text)| text)
            .collect();

        for dependency in package["dependencies"].as_array().unwrap() {
            let is_for_building = dependency["kind"] == "build";
            let name = dependency["name"].as_str().unwrap().replace('-', "_");
            assert!(
                is_for_building || text.contains(&name),
                "{} does not use {name}",
                manifest.display()
            );
            checked += 1;
        }
    }
    assert!(checked > 300, "{checked} dependencies were found");
}

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

fn assert_only_in(word: &str, crates: &[impl AsRef<Path>], allowed: impl Fn(&str) -> bool) {
    let mut seen = 0;
    for name in crates {
        for (path, text) in sources(&repository().join(name).join("src")) {
            let relative = path
                .strip_prefix(repository())
                .unwrap()
                .display()
                .to_string();
            if text.contains(word) {
                assert!(allowed(&relative), "{relative} must not mention {word}");
                seen += 1;
            }
        }
    }
    assert!(seen > 0, "{word} is nowhere: this check checks nothing");
}

#[test]
fn the_domain_knows_no_io() {
    let forbidden = [
        "tokio", "axum", "sqlx", "rand", "tracing", "reqwest", "alloy", "redb", "metrics",
    ];
    let all = dependencies();
    let domain = &all["domain"];
    assert!(domain.len() > 3, "{domain:?}");
    assert!(
        !domain.iter().any(|name| forbidden.contains(&name.as_str())),
        "{domain:?}"
    );
    for (path, text) in sources(&repository().join("crates/domain/src")) {
        for word in [
            "std::fs",
            "std::net",
            "std::time",
            "SystemTime",
            "HashMap",
            "f32",
            "f64",
            "async fn",
        ] {
            assert!(
                !text.contains(word),
                "{} must not mention {word}",
                path.display()
            );
        }
    }
}

#[test]
fn only_the_consensus_adaptor_knows_the_engine() {
    for (name, dependencies) in dependencies() {
        let engine = dependencies
            .iter()
            .any(|dependency| dependency.starts_with("arc-malachitebft"));
        assert_eq!(engine, name == "sidechain", "{name}");
    }
    assert_only_in("arc_malachitebft_", &["sidechain"], |path| {
        path.starts_with("sidechain/src/consensus")
    });
}

/// The folders of all crates of the product, from the workspace's root.
fn folders() -> Vec<PathBuf> {
    let output = metadata();
    let packages = output["packages"].as_array().unwrap();
    let tools = repository().join("tools");
    let manifest = |package: &Value| PathBuf::from(package["manifest_path"].as_str().unwrap());
    packages
        .iter()
        .map(|package| manifest(package).parent().unwrap().to_owned())
        .filter(|folder| !folder.ends_with("fuzz") && !folder.starts_with(&tools))
        .collect()
}

#[test]
fn no_crate_knows_a_service_but_hotpot_and_who_reads_a_stopped_nodes_store() {
    for (name, dependencies) in dependencies() {
        let mut known = SERVICES
            .iter()
            .filter(|service| dependencies.iter().any(|one| one == *service));
        let is_allowed = |service: &&str| match name.as_str() {
            "hotpot" | "fuzz" => true,
            "verify" => *service == "sidechain",
            _ => false,
        };
        assert!(known.all(is_allowed), "{name} must not use a service");
    }
}

#[test]
fn services_do_not_know_each_other_and_the_indexer_no_key() {
    let all = dependencies();
    for service in SERVICES {
        let others = SERVICES.iter().filter(|other| **other != service);
        for other in others {
            assert!(
                !all[service].iter().any(|name| name == other),
                "{service} must not use {other}"
            );
        }
    }
    assert!(
        !all["indexer"]
            .iter()
            .any(|name| name == "wallet" || name == "secp256k1"),
        "{:?}",
        all["indexer"]
    );
    for (path, text) in sources(&repository().join("gateway/src")) {
        assert!(
            !text.contains("signers") && !text.contains("wallet::"),
            "{}: the gateway holds no key",
            path.display()
        );
    }
    for (path, text) in sources(&repository().join("indexer/src")) {
        assert!(
            !text.contains("signers"),
            "{} must not import a signer",
            path.display()
        );
    }
}

/// Answers of the doors are types, or neither OpenAPI nor TypeScript would know them.
#[test]
fn the_doors_answer_with_types_and_every_route_is_described() {
    let described = Description::read().operations();
    let mut routed = BTreeSet::new();
    for folder in ["gateway/src/http", "sidechain/src/http"] {
        for (path, text) in sources(&repository().join(folder)) {
            assert!(
                !text.contains("json!"),
                "{} must answer with a type",
                path.display()
            );
            for plain in [
                "extract::{Path",
                "extract::Path",
                "Query, State}",
                "extract::Query",
            ] {
                assert!(
                    !text.contains(plain),
                    "{} must take {plain} from the crate problem: axum refuses in plain text",
                    path.display()
                );
            }
            routed.extend(text.split(".route(").skip(1).flat_map(operations_of));
        }
    }
    routed.retain(|operation| !NOT_DESCRIBED.contains(&operation.as_str()));
    let differ: Vec<_> = routed.symmetric_difference(&described).collect();
    assert!(
        differ.is_empty(),
        "not both routed and in docs/openapi.json: {differ:?}"
    );
    assert!(routed.len() > 30, "{} routes were found", routed.len());
}

/// `get /api/v1/…` of what stands behind `.route(`; none for what is no part of the API.
fn operations_of(route: &str) -> Vec<String> {
    let path = route.split('"').nth(1).unwrap_or_default();
    let handlers = route.splitn(3, '"').nth(2).unwrap_or_default();
    let handlers = handlers.split(['}', ';']).next().unwrap_or_default();
    let is_routed = |method: &&str| handlers.contains(&format!("{method}("));

    ["get", "post", "put", "delete", "patch"]
        .iter()
        .filter(|method| path.starts_with("/api/v1/") && is_routed(method))
        .map(|method| format!("{method} {path}"))
        .collect()
}

/// A film in pieces.
const NOT_DESCRIBED: [&str; 1] = ["get /api/v1/outlets/{outlet}/cameras/{camera}/preview/{file}"];

#[test]
fn sql_and_the_environment_have_one_place_each() {
    let all = folders();
    assert_only_in("sqlx::query", &all, |path| {
        path.contains("/io/store")
            || path.starts_with("crates/read-model")
            || path == "crates/local-network/src/external.rs"
            || path == "verify/src/database.rs"
    });
    assert_only_in("std::env::var", &all, |path| {
        path.starts_with("crates/service-kit")
    });
}

#[test]
fn the_video_agent_knows_no_ethereum_and_its_decisions_no_pictures() {
    let all = dependencies();
    assert!(
        !all["video-agent"]
            .iter()
            .any(|name| name.starts_with("alloy")),
        "{:?}",
        all["video-agent"]
    );
    for library in ["opencv::", "gstreamer"] {
        assert_only_in(library, &["video-agent"], |path| {
            path.contains("/io/") || path.ends_with("/io.rs") || path == "video-agent/src/error.rs"
        });
    }
    let core = sources(&repository().join("video-agent/src/core"));
    assert!(core.len() > 10, "{} files", core.len());
    for (path, text) in core {
        for word in [
            "std::fs",
            "std::net",
            "std::time",
            "SystemTime",
            "async fn",
            "tokio",
        ] {
            assert!(
                !text.contains(word),
                "{} must not mention {word}",
                path.display()
            );
        }
    }
}
