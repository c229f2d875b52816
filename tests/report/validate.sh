#!/usr/bin/env bash
# Validates reports: tests/report/validate.sh SCHEMA FOLDER
#   *.json and *.jsonl against the JSON Schema in the file SCHEMA, with Debian's python3-jsonschema;
#   *.sarif with the SARIF multitool (rules for SARIF and for GitHub's code scanning): no error, no warning.
# The multitool is installed once, by npm, into $SCAN_SECRETS_TOOLS.
set -euo pipefail

multitool_version=5.7.0
schema=$1
folder=$2
tools=${SCAN_SECRETS_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/scan-secrets-tests}
modules=$tools/sarif-multitool-$multitool_version/node_modules/@microsoft/sarif-multitool-linux

if [ ! -x "$modules/Sarif.Multitool" ]; then
  mkdir -p "$tools/sarif-multitool-$multitool_version"
  npm install --silent --no-audit --no-fund --prefix "$tools/sarif-multitool-$multitool_version" \
    "@microsoft/sarif-multitool@$multitool_version"
fi

/usr/bin/python3 - "$schema" "$folder" <<'PYTHON'
import json, pathlib, sys
import jsonschema

schema = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
jsonschema.Draft202012Validator.check_schema(schema)
document = jsonschema.Draft202012Validator(schema)
kinds = {kind: jsonschema.Draft202012Validator({**schema["$defs"][kind + "_line"], **{
    key: value for key, value in schema.items() if key in ("$schema", "$defs")}})
    for kind in ("finding", "summary")}
# The definitions of a line point at the document's own properties, so they are resolved from the whole schema.
for kind in kinds:
    kinds[kind].resolver = jsonschema.RefResolver.from_schema(schema)

def undescribed(node, path):
    for name, member in node.get("properties", {}).items():
        target = member.get("$ref", "")
        if "description" not in member and "/properties/" not in target:
            yield f"{path}/{name}"
    if node.get("type") == "object" and node.get("additionalProperties") is not False:
        yield f"{path} (open)"
    for name, child in node.get("$defs", {}).items():
        yield from undescribed(child, f"{path}/$defs/{name}")

problems = [f"schema: {where} lacks a description or is open" for where in undescribed(schema, "")]
checked = 0
for path in sorted(pathlib.Path(sys.argv[2]).iterdir()):
    if path.suffix == ".json":
        found = [(1, error) for error in document.iter_errors(json.loads(path.read_bytes().decode("utf-8")))]
        checked += 1
    elif path.suffix == ".jsonl":
        lines = [json.loads(line) for line in path.read_bytes().decode("utf-8").split("\n")[:-1]]
        assert [line["type"] for line in lines] == ["finding"] * (len(lines) - 1) + ["summary"], path
        found = [(number, error) for number, line in enumerate(lines, 1)
                 for error in kinds[line["type"]].iter_errors(line)]
        checked += 1
    else:
        continue
    problems += [f"{path}:{number}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
                 for number, error in found]
print("\n".join(problems) if problems else f"{checked} JSON reports follow the schema")
sys.exit(1 if problems or not checked else 0)
PYTHON

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
checked=0
for report in "$folder"/*.sarif; do
  log=$results/$(basename "$report").log
  "$modules/Sarif.Multitool" validate "$report" -j "$modules/sarif-2.1.0.json" --rule-kind "Sarif;Ghas" \
    -o "$log" --log ForceOverwrite --level "Error;Warning" >"$log.out" 2>&1 || { cat "$log.out"; exit 1; }
  checked=$((checked + 1))
done

# The multitool's exit code says nothing, and it does not look at what code scanning needs beyond the standard.
/usr/bin/python3 - "$folder" "$results" <<'PYTHON'
import json, pathlib, sys

problems = []
for log in sorted(pathlib.Path(sys.argv[2]).glob("*.log")):
    validation = json.loads(log.read_text(encoding="utf-8-sig"))
    for run in validation["runs"]:
        for result in run.get("results", []):
            if result.get("level", "warning") in ("error", "warning"):
                region = result["locations"][0]["physicalLocation"].get("region", {})
                problems.append(f"{log.stem}:{region.get('startLine')}: {result['ruleId']} "
                                f"{result['message'].get('id')} {result['message'].get('arguments', '')}")
        for invocation in run.get("invocations", []):
            for note in invocation.get("toolExecutionNotifications", []) + invocation.get("toolConfigurationNotifications", []):
                if note.get("level") == "error":
                    problems.append(f"{log.stem}: {note['message'].get('text')}")
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.sarif")):
    run = json.loads(path.read_bytes().decode("utf-8"))["runs"][0]
    for rule in run["tool"]["driver"]["rules"]:
        if not isinstance(rule["properties"]["security-severity"], str):
            problems.append(f"{path.name}: security-severity of {rule['id']} is no string")
    for result in run["results"]:
        region = result["locations"][0]["physicalLocation"]["region"]
        if not {"startLine", "startColumn", "endLine", "endColumn"} <= region.keys():
            problems.append(f"{path.name}: a region lacks a number")
        if "primaryLocationLineHash" not in result.get("partialFingerprints", {}):
            problems.append(f"{path.name}: a result lacks primaryLocationLineHash")
    if not run["automationDetails"]["id"].endswith("/"):
        problems.append(f"{path.name}: the category does not end in a slash")
print("\n".join(problems) if problems else f"{len(list(pathlib.Path(sys.argv[2]).glob('*.log')))} SARIF reports: 0 errors, 0 warnings")
sys.exit(1 if problems else 0)
PYTHON
[ "$checked" -gt 0 ] || { echo "no SARIF report in $folder"; exit 1; }
