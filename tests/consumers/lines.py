"""Reads the lines of a run and compares them with the document: lines.py LINES DOCUMENT"""
import json, sys

lines = [json.loads(line) for line in open(sys.argv[1])]
document = json.load(open(sys.argv[2]))
last = lines.pop()
assert last["type"] == "summary"
for key in ("requests", "rate", "verdict", "heat_bounds_us"):
    assert last[key] == document[key], key
intervals = [line for line in lines if line["type"] == "interval"]
gauges = [line for line in lines if line["type"] == "gauges"]
assert len(intervals) + len(gauges) == len(lines)
for line in intervals:
    del line["type"]
assert intervals == document["intervals"]
print(f"json: {len(intervals)} intervals")
