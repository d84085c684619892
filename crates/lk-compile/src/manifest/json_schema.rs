//! The JSON Schema of `lk.toml`: what the types don't say by themselves.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::file::{ManifestFile, PortEntry, PortTable, TickOn};

/// The JSON Schema of `lk.toml`.
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(ManifestFile).to_value()
}

pub(super) fn any_table(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object" })
}

/// What [`lk::dist::DistConfig`] reads: fields have names of their own.
pub(super) fn distributions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "What inputs are drawn from, by port and field: see `lk sample --help`.",
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "description": "Of one port: `field = { uniform = [-1, 1] }`.",
            "properties": {
                "fill": {
                    "description": "\"default\": fields without a distribution hold their default.",
                },
                "edge_cases": { "description": "The share of values that are edge cases, 0 to 1." },
            },
        },
    })
}

/// What [`Policy`] reads; the crate that it lives in makes no JSON Schema.
pub(super) fn policy(_: &mut SchemaGenerator) -> Schema {
    let tolerance = json_schema!({
        "type": "object",
        "properties": {
            "abs": { "type": "number", "minimum": 0 },
            "rel": { "type": "number", "minimum": 0 },
            "form": { "enum": ["sum", "max_ref", "max_sym"] },
        },
        "additionalProperties": false,
    });
    let align = json_schema!({
        "description": "How messages of the two sides are paired.",
        "anyOf": [
            {
                "type": "string",
                "description":
                    "auto, tick, time, index, sequence, interpolate, or `nearest,window=5ms`",
            },
            {
                "type": "object",
                "properties": { "by": { "type": "string" }, "window": { "type": "string" } },
                "required": ["by"],
                "additionalProperties": false,
            },
        ],
    });
    json_schema!({
        "description": "What counts as equal: rules and tolerances of the comparison.",
        "type": "object",
        "properties": {
            "default": tolerance,
            "policy": {
                "enum": ["fixed", "dtype"],
                "description": "Whether `default` decides floats, or a table by their width.",
            },
            "nan_equal": { "type": "boolean", "description": "Whether NaN equals NaN." },
            "timestamp_tol": {
                "type": "string",
                "description": "How far apart times may be: \"1ms\", or \"+5ms/-0ms\".",
            },
            "align": align.clone(),
            "align_keys": {
                "type": "object",
                "description": "How messages of some keys are paired instead.",
                "additionalProperties": align,
            },
            "relative_time": {
                "type": "boolean",
                "description": "Whether times count from each side's first message.",
            },
            "check_timestamps": {
                "type": "boolean",
                "description": "Whether times further apart are a difference.",
            },
            "allowed_violations": {
                "type": "number",
                "minimum": 0,
                "exclusiveMaximum": 1,
                "description": "The fraction of messages that may violate, as a reading beside the verdict.",
            },
            "confidence": {
                "type": "number",
                "exclusiveMinimum": 0,
                "exclusiveMaximum": 1,
                "description": "How sure it is to be that no more do: 0.95.",
            },
            "scope": {
                "enum": ["outputs"],
                "description": "What verify compares; it takes no other.",
            },
            "rules": {
                "type": "array",
                "description": "The last rule that matches a field decides it.",
                "items": {
                    "anyOf": [
                        { "type": "string", "description": "`glob:abs=1e-6,rel=1e-9`" },
                        { "type": "object", "required": ["match"] },
                    ],
                },
            },
            "known_differences": {
                "type": "array",
                "description": "Differences that shall be there; one that isn't is a difference.",
                "items": {
                    "type": "object",
                    "required": ["match", "reason"],
                    "properties": {
                        "match": { "type": "string", "description": "A pattern, as in rules." },
                        "kind": { "enum": [
                            "value", "nan", "infinity", "length", "unmatched", "time", "missing", "extra",
                            "schema",
                        ] },
                        "at_least": { "type": "integer", "minimum": 0 },
                        "at_most": { "type": "integer", "minimum": 1 },
                        "reason": { "type": "string" },
                    },
                    "additionalProperties": false,
                },
            },
        },
        "additionalProperties": false,
    })
}

impl JsonSchema for PortEntry {
    fn schema_name() -> Cow<'static, str> {
        "PortEntry".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = PortTable::json_schema(generator);
        json_schema!({
            "description": "A port: its type, and the key of its messages in datasets.",
            "anyOf": [{ "type": "string" }, table],
        })
    }
}

impl JsonSchema for TickOn {
    fn schema_name() -> Cow<'static, str> {
        "TickOn".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "const": "any" },
                { "type": "array", "items": { "type": "string" }, "minItems": 1 },
            ],
        })
    }
}
