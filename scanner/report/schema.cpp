#include "scanner/report/formats.h"

namespace scanner::report {

std::string_view json_schema() {
  return R"schema({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "scan-secrets report, version 1",
  "description": "The document of --format json. A line of --format jsonl is $defs/line. Members may be added within a version; none changes its meaning. Bytes of a target that are no UTF-8 stand as U+FFFD.",
  "type": "object",
  "additionalProperties": false,
  "required": ["schema_version", "tool", "command", "target", "started", "duration_ms", "complete", "exit_code", "fail_on", "summary", "images", "findings", "coverage", "stale_ignores"],
  "properties": {
    "schema_version": { "const": 1, "description": "The version of this format." },
    "tool": { "$ref": "#/$defs/tool", "description": "What made the report." },
    "command": { "type": "string", "description": "The kind of target: image, dir, stdin or env." },
    "target": { "type": "string", "description": "The target as the user named it." },
    "started": { "type": "string", "description": "When the scan began, in UTC, as in RFC 3339." },
    "duration_ms": { "$ref": "#/$defs/count", "description": "How long the scan took, in milliseconds." },
    "complete": { "type": "boolean", "description": "Whether everything was looked at: no skip has a reason that leaves a gap." },
    "exit_code": { "type": "integer", "description": "What the program returned to its caller." },
    "fail_on": { "description": "The severity from which a finding fails the run; null when every finding does.", "oneOf": [{ "$ref": "#/$defs/severity" }, { "type": "null" }] },
    "summary": { "$ref": "#/$defs/summary", "description": "How many findings there are." },
    "images": { "type": "array", "items": { "$ref": "#/$defs/image" }, "description": "The images of the target; empty when it is none." },
    "findings": { "type": "array", "items": { "$ref": "#/$defs/finding" }, "description": "The secrets, most severe first." },
    "coverage": { "$ref": "#/$defs/coverage", "description": "What was looked at, and what was not." },
    "stale_ignores": { "type": "array", "items": { "type": "string" }, "description": "Entries of ignore files that met nothing." }
  },
  "$defs": {
    "line": {
      "description": "One line of --format jsonl: a finding, or as the last one the summary.",
      "oneOf": [{ "$ref": "#/$defs/finding_line" }, { "$ref": "#/$defs/summary_line" }]
    },
    "count": { "type": "integer", "minimum": 0, "description": "How many." },
    "severity": { "enum": ["low", "medium", "high", "critical"], "description": "How bad it is when the secret is in the wrong hands." },
    "base": { "enum": ["unknown", "base", "app"], "description": "Whether the layer came with the base image; unknown when nothing says so." },
    "digest": { "type": "string", "description": "An OCI digest such as sha256:…; empty when it is not known." },
    "layer_number": { "type": "integer", "minimum": 1, "description": "The layer's number in its image, bottom first, from 1." },
    "tool": {
      "description": "What made a report.",
      "type": "object",
      "additionalProperties": false,
      "required": ["name", "version", "engine", "rules_hash", "rules"],
      "properties": {
        "name": { "const": "scan-secrets", "description": "The program's name." },
        "version": { "type": "string", "description": "The program's version." },
        "engine": { "type": "string", "description": "The library that matched, with its version." },
        "rules_hash": { "type": "string", "description": "SHA-256 over everything in the rules that can change a result." },
        "rules": { "$ref": "#/$defs/count", "description": "The number of rules." }
      }
    },
    "summary": {
      "description": "Counts of findings.",
      "type": "object",
      "additionalProperties": false,
      "required": ["total", "critical", "high", "medium", "low", "ignored", "in_baseline"],
      "properties": {
        "total": { "$ref": "#/$defs/count", "description": "All findings of this report." },
        "critical": { "$ref": "#/$defs/count", "description": "Findings of severity critical." },
        "high": { "$ref": "#/$defs/count", "description": "Findings of severity high." },
        "medium": { "$ref": "#/$defs/count", "description": "Findings of severity medium." },
        "low": { "$ref": "#/$defs/count", "description": "Findings of severity low." },
        "ignored": { "$ref": "#/$defs/count", "description": "Findings that an ignore file or a comment left out of this report." },
        "in_baseline": { "$ref": "#/$defs/count", "description": "Findings that the baseline left out of this report." }
      }
    },
    "image": {
      "description": "One image, for one platform.",
      "type": "object",
      "additionalProperties": false,
      "required": ["name", "digest", "config_digest", "platform", "layers", "history"],
      "properties": {
        "name": { "type": "string", "description": "The reference it is stored under; empty when there is none." },
        "digest": { "$ref": "#/$defs/digest", "description": "The digest of its manifest, or of its configuration where no manifest exists." },
        "config_digest": { "$ref": "#/$defs/digest", "description": "The digest of its configuration." },
        "platform": { "type": "string", "description": "Operating system, architecture and variant, from its configuration." },
        "layers": { "type": "array", "items": { "$ref": "#/$defs/layer" }, "description": "Its layers, bottom first." },
        "history": { "type": "array", "items": { "type": "string" }, "description": "The instruction of every history entry, oldest first." }
      }
    },
    "layer": {
      "description": "One layer of an image.",
      "type": "object",
      "additionalProperties": false,
      "required": ["index", "digest", "diff_id", "media_type", "created_by", "base", "size", "read"],
      "properties": {
        "index": { "$ref": "#/$defs/layer_number", "description": "Its number, bottom first, from 1." },
        "digest": { "$ref": "#/$defs/digest", "description": "The digest of the blob as it is stored." },
        "diff_id": { "$ref": "#/$defs/digest", "description": "The digest of the uncompressed layer, from the configuration." },
        "media_type": { "type": "string", "description": "The media type that the manifest claims." },
        "created_by": { "type": "string", "description": "The history instruction that made it; empty when the history does not fit the layers." },
        "base": { "$ref": "#/$defs/base", "description": "Whether it came with the base image." },
        "size": { "$ref": "#/$defs/count", "description": "The size of the blob in bytes." },
        "read": { "type": "boolean", "description": "Whether it was there, matched its digest and was read to its end." }
      }
    },
    "finding": {
      "description": "One secret, with all the places it stands in.",
      "type": "object",
      "additionalProperties": false,
      "required": ["rule", "title", "description", "severity", "confidence", "fingerprint", "redacted", "tags", "notes", "fix", "docs", "locations"],
      "properties": {
        "rule": { "type": "string", "description": "The id of the rule that found it." },
        "title": { "type": "string", "description": "What kind of credential it is." },
        "description": { "type": "string", "description": "What such a credential opens." },
        "severity": { "$ref": "#/$defs/severity", "description": "How bad it is." },
        "confidence": { "enum": ["low", "medium", "high"], "description": "How sure the rule is." },
        "fingerprint": { "type": "string", "pattern": "^v1:[0-9a-f]{32}$", "description": "The secret's identity under this rule: the same in every place and in every scan." },
        "redacted": { "type": "string", "description": "The secret with its middle masked." },
        "secret": { "type": "string", "description": "The secret itself; there only when the user asked for it." },
        "tags": { "type": "array", "items": { "type": "string" }, "description": "The rule's tags." },
        "notes": { "type": "array", "items": { "type": "string" }, "description": "What offline checks learned from the secret." },
        "fix": { "type": "string", "description": "What to do about it." },
        "docs": { "type": "string", "description": "A URL to read on, or empty." },
        "locations": { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/location" }, "description": "Where it stands: the configuration first, then by layer, path and offset." }
      }
    },
    "location": {
      "description": "One place where a secret stands.",
      "type": "object",
      "additionalProperties": false,
      "required": ["kind", "image", "layer", "path", "inner", "decoding", "field", "history_index", "line", "column", "end_line", "end_column", "offset", "state", "changed_in", "frame"],
      "properties": {
        "kind": { "enum": ["file", "file_name", "symlink_target", "env", "label", "cmd", "entrypoint", "healthcheck", "onbuild", "history", "annotation", "attestation", "config"], "description": "What kind of place it is." },
        "image": { "type": ["integer", "null"], "minimum": 0, "description": "The image's position in images, from 0; null when the target is none." },
        "layer": { "description": "The layer; null for the configuration and for loose files.", "oneOf": [{ "$ref": "#/$defs/layer_reference" }, { "type": "null" }] },
        "path": { "type": "string", "description": "The path in the layer or directory, or the document of the configuration; where the path itself holds the secret, its redacted form." },
        "path_base64": { "type": "string", "contentEncoding": "base64", "description": "The path's exact bytes; there only when they are no UTF-8." },
        "inner": { "type": "array", "items": { "type": "string" }, "description": "Members of archives below the path, outermost first." },
        "inner_base64": { "type": "array", "items": { "type": "string", "contentEncoding": "base64" }, "description": "The exact bytes of all of inner; there only when some are no UTF-8." },
        "decoding": { "type": "array", "items": { "type": "string" }, "description": "Encodings undone on the way to the secret, outermost first." },
        "field": { "type": "string", "description": "The variable, label, annotation or build argument; empty for kinds without names." },
        "history_index": { "type": ["integer", "null"], "minimum": 0, "description": "The position of the history entry, from 0; null for other kinds." },
        "line": { "$ref": "#/$defs/count", "description": "The line of the first byte, from 1; 0 where a place has no lines." },
        "column": { "$ref": "#/$defs/count", "description": "The column of the first byte, counted in bytes from 1; 0 where a place has no lines." },
        "end_line": { "$ref": "#/$defs/count", "description": "The line of the end." },
        "end_column": { "$ref": "#/$defs/count", "description": "The column one past the last byte, counted in bytes." },
        "offset": { "$ref": "#/$defs/count", "description": "The offset of the first byte in the entry, after decoding." },
        "state": { "enum": ["present", "deleted", "overwritten"], "description": "What became of the place in the image that a container would see." },
        "changed_in": { "description": "The number of the layer that deleted or overwrote it; null while present.", "oneOf": [{ "$ref": "#/$defs/layer_number" }, { "type": "null" }] },
        "frame": { "type": "string", "description": "The line that the secret stands in, with every secret in it masked." }
      }
    },
    "layer_reference": {
      "description": "The layer that a location lies in.",
      "type": "object",
      "additionalProperties": false,
      "required": ["index", "digest", "diff_id", "created_by", "base"],
      "properties": {
        "index": { "$ref": "#/$defs/layer_number", "description": "Its number, bottom first, from 1." },
        "digest": { "$ref": "#/$defs/digest", "description": "The digest of the blob as it is stored." },
        "diff_id": { "$ref": "#/$defs/digest", "description": "The digest of the uncompressed layer." },
        "created_by": { "type": "string", "description": "The history instruction that made it." },
        "base": { "$ref": "#/$defs/base", "description": "Whether it came with the base image." }
      }
    },
    "coverage": {
      "description": "What was looked at, and what was not.",
      "type": "object",
      "additionalProperties": false,
      "required": ["complete", "layers", "files", "texts", "bytes", "unselected_blobs", "skipped", "more_skipped"],
      "properties": {
        "complete": { "type": "boolean", "description": "Whether no skip has a reason that leaves a gap." },
        "layers": { "$ref": "#/$defs/count", "description": "Layers looked at." },
        "files": { "$ref": "#/$defs/count", "description": "Regular files looked at, members of archives included." },
        "texts": { "$ref": "#/$defs/count", "description": "Names, link targets, variables, labels and history entries looked at." },
        "bytes": { "$ref": "#/$defs/count", "description": "Bytes looked at, after decompression." },
        "unselected_blobs": { "$ref": "#/$defs/count", "description": "Blobs of the target that belong to no selected image." },
        "skipped": { "type": "array", "items": { "$ref": "#/$defs/skipped" }, "description": "Everything that was not looked at, as far as it is listed." },
        "more_skipped": { "$ref": "#/$defs/count", "description": "Gaps beyond those that are listed." }
      }
    },
    "skipped": {
      "description": "Something that was not looked at, or not to its end.",
      "type": "object",
      "additionalProperties": false,
      "required": ["reason", "place", "detail", "bytes"],
      "properties": {
        "reason": { "enum": ["unreadable", "truncated", "corrupt", "digest_mismatch", "missing", "limit", "unsupported", "undecided", "changed", "raw_only", "excluded"], "description": "Why. Two reasons leave a scan complete: raw_only (it looks like an archive, cannot be opened as one, and was searched as it is) and excluded (the user's own wish)." },
        "place": { "type": "string", "description": "Where, as precisely as is known." },
        "detail": { "type": "string", "description": "More for people." },
        "bytes": { "$ref": "#/$defs/count", "description": "How much, as far as is known." }
      }
    },
    "finding_line": {
      "description": "A finding as a line of --format jsonl.",
      "type": "object",
      "additionalProperties": false,
      "required": ["type", "rule", "title", "description", "severity", "confidence", "fingerprint", "redacted", "tags", "notes", "fix", "docs", "locations"],
      "properties": {
        "type": { "const": "finding", "description": "Tells a finding from the summary." },
        "rule": { "$ref": "#/$defs/finding/properties/rule" },
        "title": { "$ref": "#/$defs/finding/properties/title" },
        "description": { "$ref": "#/$defs/finding/properties/description" },
        "severity": { "$ref": "#/$defs/finding/properties/severity" },
        "confidence": { "$ref": "#/$defs/finding/properties/confidence" },
        "fingerprint": { "$ref": "#/$defs/finding/properties/fingerprint" },
        "redacted": { "$ref": "#/$defs/finding/properties/redacted" },
        "secret": { "$ref": "#/$defs/finding/properties/secret" },
        "tags": { "$ref": "#/$defs/finding/properties/tags" },
        "notes": { "$ref": "#/$defs/finding/properties/notes" },
        "fix": { "$ref": "#/$defs/finding/properties/fix" },
        "docs": { "$ref": "#/$defs/finding/properties/docs" },
        "locations": { "$ref": "#/$defs/finding/properties/locations" }
      }
    },
    "summary_line": {
      "description": "The last line of --format jsonl: the report without its findings.",
      "type": "object",
      "additionalProperties": false,
      "required": ["type", "schema_version", "tool", "command", "target", "started", "duration_ms", "complete", "exit_code", "fail_on", "summary", "images", "coverage", "stale_ignores"],
      "properties": {
        "type": { "const": "summary", "description": "Tells the summary from a finding." },
        "schema_version": { "$ref": "#/properties/schema_version" },
        "tool": { "$ref": "#/properties/tool" },
        "command": { "$ref": "#/properties/command" },
        "target": { "$ref": "#/properties/target" },
        "started": { "$ref": "#/properties/started" },
        "duration_ms": { "$ref": "#/properties/duration_ms" },
        "complete": { "$ref": "#/properties/complete" },
        "exit_code": { "$ref": "#/properties/exit_code" },
        "fail_on": { "$ref": "#/properties/fail_on" },
        "summary": { "$ref": "#/properties/summary" },
        "images": { "$ref": "#/properties/images" },
        "coverage": { "$ref": "#/properties/coverage" },
        "stale_ignores": { "$ref": "#/properties/stale_ignores" }
      }
    }
  }
}
)schema";
}

}  // namespace scanner::report
