"""Reads the lines of a run and compares them with the document: lines.py LINES DOCUMENT"""
import json, sys

lines = [json.loads(line) for line in open(sys.argv[1])]
document = json.load(open(sys.argv[2]))
last = lines.pop()
assert last["type"] == "summary"
for key in ("requests", "rate", "verdict", "heat_bounds_us"):
    assert last[key] == document[key], key
assert [line.pop("type") for line in lines] == ["interval"] * len(lines)
assert lines == document["intervals"]
print(f"json: {len(lines)} intervals")
