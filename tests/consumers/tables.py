"""Reads the four tables as scripts for Locust do, by pandas or else by Python's csv, and compares
their figures with the document's: tables.py FOLDER DOCUMENT"""
import csv, json, sys

folder, document = sys.argv[1], json.load(open(sys.argv[2]))
TEXTS = {"Type", "Name", "Method", "Error", "First Seen", "Last Seen", "Message", "Traceback", "Nodes"}
QUANTILES = {"50%": "p50_us", "75%": "p75_us", "90%": "p90_us", "95%": "p95_us", "99%": "p99_us",
             "99.9%": "p99_9_us", "99.99%": "p99_99_us", "100%": "max_us"}

try:
    import pandas
    reader = "pandas"
except ImportError:
    pandas, reader = None, "csv"


def rows(table):
    path = f"{folder}/results_{table}.csv"
    if pandas is None:
        found = list(csv.DictReader(open(path, newline="")))
        for row in found:
            for column in set(row) - TEXTS:
                row[column] = None if row[column] == "N/A" else float(row[column])
        return found
    frame = pandas.read_csv(path)
    for column in set(frame.columns) - TEXTS:
        kind = frame[column].dtype.kind
        # A column without a row has no type.
        assert len(frame) == 0 or kind in "iuf", f"{table}: {column} is read as {frame[column].dtype}"
    return json.loads(frame.to_json(orient="records", double_precision=15))


def same(what, found, expected):
    close = found == expected or (
        found is not None and expected is not None
        and abs(found - expected) <= 1e-9 * max(abs(found), abs(expected)))
    assert close, f"{what}: the table has {found}, the document {expected}"


def millis(us):
    return None if us is None else us / 1e3


stats, history = rows("stats"), rows("stats_history")
failures, exceptions = rows("failures"), rows("exceptions")
whole, requests = stats[-1], document["requests"]
assert whole["Name"] == "Aggregated"
same("Request Count", whole["Request Count"], requests["scheduled"])
same("Failure Count", whole["Failure Count"], requests["scheduled"] - requests["good"])
same("Requests/s", whole["Requests/s"], document["rate"]["sent_per_s"])
for column, key in QUANTILES.items():
    same(column, whole[column], millis(document["latency"]["response"][key]))

assert len(history) == len(document["intervals"]) > 1
before = 0
for row, interval in zip(history, document["intervals"]):
    same("Requests/s then", round(row["Requests/s"] * (interval["t_s"] - before), 3), interval["sent"])
    for column, key in {"50%": "p50", "95%": "p95", "99%": "p99", "100%": "max"}.items():
        same(f"{column} then", row[column], millis(interval[f"response_{key}_us"]))
    if interval["users"] is not None:
        same("User Count then", row["User Count"], interval["users"])
    before = interval["t_s"]

same("Occurrences", sum(row["Occurrences"] for row in failures), whole["Failure Count"])
codes = [row["Message"].split(":")[0] for row in exceptions]
assert codes == [warning["code"] for warning in document["warnings"]], codes
print(f"{reader}: {len(stats)} rows, {len(history)} intervals, {len(failures)} failures")
