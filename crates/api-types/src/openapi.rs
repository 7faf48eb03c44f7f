//! The gateway's HTTP API as an OpenAPI 3.1 document. Each operation is described by an empty function beside the types;
//! a test asks a running gateway for each of them, and holds its answers against their schemas.

mod chain;
mod people;
mod sales;
mod video;

use problem::Problem;
use serde_json::Value;
use std::collections::BTreeSet;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, ResponseBuilder, Schema};
use utoipa::{Modify, OpenApi as _};

const PROBLEM_JSON: &str = "application/problem+json";

/// The whole document.
pub fn openapi() -> OpenApi {
    let document = Document::openapi();
    let Ok(mut value) = serde_json::to_value(&document) else {
        return document;
    };

    name_formats(&mut value);
    serde_json::from_value(value).unwrap_or(document)
}

/// utoipa 6 writes `u-int32` where the registry of formats has `uint32`.
fn name_formats(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(format)) = fields.get_mut("format")
                && let Some(bits) = format.strip_prefix("u-int")
            {
                *format = format!("uint{bits}");
            }
            fields.values_mut().for_each(name_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(name_formats),
        _ => {}
    }
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "The Hot Pot Spot",
        description = "Sales, where their tokens are, and who may be filmed. Amounts are integers with their unit in the \
            field's description; times are RFC 3339 in UTC, or milliseconds where the name ends in `_ms`. Who may write is \
            decided by signatures (EIP-712), see docs/PROTOCOL.md; what each answer means stands in docs/GATEWAY.md."
    ),
    servers((url = "/")),
    paths(
        sales::list_sales, sales::record_sale, sales::record_sales, sales::show_sale, sales::prove_sale,
        chain::submit_transaction, chain::show_transaction,
        chain::list_blocks, chain::show_block,
        chain::show_checkpoint, chain::list_payouts, chain::show_payout,
        chain::list_validators, chain::list_candidates, chain::list_evidence, chain::show_parameters, chain::show_genesis,
        people::show_network, people::show_supply, people::show_account, people::list_outlets, people::stream_events,
        video::list_consents, video::show_consent, video::list_consents_in_force, video::list_revocations,
        video::list_recordings, video::show_recording, video::prove_recording, video::list_erasures,
        video::list_cameras, video::switch_push,
    ),
    components(schemas(
        Problem, crate::BlocksEvent, crate::EvmEvent, crate::RevertedEvent, crate::ResetEvent,
        crate::WaitFor
    )),
    modifiers(&Refusals, &Compositions, &Passes),
    tags(
        (name = "sales", description = "Sales and how far they have come"),
        (name = "chain", description = "Transactions, blocks, checkpoints, validators"),
        (name = "people", description = "The network, accounts and outlets"),
        (name = "video", description = "Consents, recordings and cameras"),
    )
)]
struct Document;

/// Every operation may be refused, and always in the same form.
struct Refusals;

impl Modify for Refusals {
    fn modify(&self, openapi: &mut OpenApi) {
        let items = openapi.paths.paths.values_mut();
        let operations = items.flat_map(|item| {
            [
                &mut item.get,
                &mut item.post,
                &mut item.put,
                &mut item.delete,
            ]
            .into_iter()
            .flatten()
        });
        operations.for_each(add_refusal);
    }
}

fn add_refusal(operation: &mut Operation) {
    let schema = RefOr::Ref(Ref::from_schema_name("Problem"));
    let refusal = ResponseBuilder::new()
        .description(
            "A refusal: its `type` names the reason, `errors` the fields to blame (RFC 9457)",
        )
        .content(PROBLEM_JSON, Content::new(Some(schema)))
        .build();

    operation
        .responses
        .responses
        .insert("default".to_owned(), RefOr::T(refusal));
}

/// What lets somebody look at cameras.
struct Passes;

impl Modify for Passes {
    fn modify(&self, openapi: &mut OpenApi) {
        let pass = ApiKeyValue::with_description(
            "hotpot_watch",
            "UNTIL.0xSIGNATURE: a signature over `WatchCameras` by the outlet's owner or an active video agent of it",
        );
        if let Some(components) = &mut openapi.components {
            components.add_security_scheme("watch", SecurityScheme::ApiKey(ApiKey::Cookie(pass)));
        }
    }
}

/// What is part of a larger object cannot refuse the other parts, though it refuses unknown fields where it stands alone.
struct Compositions;

impl Modify for Compositions {
    fn modify(&self, openapi: &mut OpenApi) {
        let Some(components) = &mut openapi.components else {
            return;
        };
        let mut parts = BTreeSet::new();
        for schema in components.schemas.values() {
            collect_parts(schema, &mut parts);
        }

        for name in parts {
            if let Some(RefOr::T(Schema::Object(object))) = components.schemas.get_mut(&name) {
                object.additional_properties = None;
            }
        }
    }
}

/// Names of the schemas that an `allOf` refers to.
fn collect_parts(schema: &RefOr<Schema>, parts: &mut BTreeSet<String>) {
    match schema {
        RefOr::T(Schema::AllOf(all)) => {
            for item in &all.items {
                if let RefOr::Ref(named) = item {
                    let name = named.ref_location.rsplit('/').next();
                    parts.extend(name.map(str::to_owned));
                }
                collect_parts(item, parts);
            }
        }
        RefOr::T(Schema::OneOf(one)) => {
            for item in &one.items {
                collect_parts(item, parts);
            }
        }
        RefOr::T(_) | RefOr::Ref(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_has_a_name_of_its_own_a_summary_and_the_one_form_of_refusals() {
        let document = serde_json::to_value(openapi()).unwrap();
        assert_eq!(document["openapi"], "3.1.0");

        let mut names = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap();
                assert!(names.insert(name.to_owned()), "{name} is there twice");
                assert!(operation["summary"].is_string(), "{method} {path}");
                let refusal = &operation["responses"]["default"]["content"][PROBLEM_JSON];
                assert_eq!(refusal["schema"]["$ref"], "#/components/schemas/Problem");
            }
        }
        assert!(names.len() >= 30, "{names:?}");
    }

    #[test]
    fn a_whole_number_is_described_with_its_width() {
        let document = openapi().to_json().unwrap();
        assert!(!document.contains("u-int"), "see name_formats");
        let quota = &serde_json::to_value(openapi()).unwrap()["components"]["schemas"]["RegisterOutlet"]
            ["properties"]["quota_per_day"];
        assert_eq!(quota["format"], "uint32");
    }

    #[test]
    fn a_part_of_a_larger_object_lets_the_other_parts_be() {
        let document = serde_json::to_value(openapi()).unwrap();
        let schemas = &document["components"]["schemas"];
        // A payload of a transaction stands beside its `type` and its signature; a sale's request stands alone.
        assert!(schemas["Refund"]["additionalProperties"].is_null());
        assert_eq!(schemas["SaleRequest"]["additionalProperties"], false);
    }

    /// A change of the API is seen in the commit that makes it.
    #[test]
    fn the_committed_document_is_this_one() {
        let committed = include_str!("../../../docs/openapi.json");
        let made = openapi().to_pretty_json().unwrap() + "\n";
        assert!(
            committed == made,
            "docs/openapi.json is of another version: run cargo xtask codegen"
        );
    }

    #[test]
    fn what_is_referred_to_is_described() {
        let document = serde_json::to_value(openapi()).unwrap();
        let text = document.to_string();
        let referred = text.split("\"#/components/schemas/").skip(1);
        for name in referred.filter_map(|rest| rest.split('"').next()) {
            let schema = &document["components"]["schemas"][name];
            assert!(schema.is_object(), "{name} is not described");
        }
    }
}
