#!/usr/bin/env python3
"""Compares two recordings of the attitude filter by its own rules, and says
whether lk's report of them is right.

    first_divergence.py REPORT REFERENCE.ndjson CANDIDATE.ndjson SENSORS.csv TOLERANCE

Run in the example's folder. It shares nothing with lk: the original is run
once more, straight on the rows of the sensor, so that what lk delivered and
recorded is checked too.
"""

import csv
import json
import re
import sys
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

SENSORS = ("gyroscope_deg_s", "accelerometer_g", "magnetometer_ut")


def main():
    report, reference, candidate, sensors, tolerance = sys.argv[1:]
    tolerance = float(tolerance)
    diff = json.loads(Path(report).read_text())["candidates"][0]["diff"]
    rows = read_rows(sensors)
    reference, candidate = read_ndjson(reference), read_ndjson(candidate)

    check("rows in the recording", len(reference), len(rows))
    check("rows in the candidate's", len(candidate), len(rows))
    for tick, (line, row, value) in enumerate(zip(reference, rows, run_original(rows))):
        check(f"time at tick {tick}", line["time_ns"], row[0])
        check(f"tick {tick}", line["sequence"], tick)
        check(f"what the original does at tick {tick}", line["value"], value)

    first, violations, worst, matching = compare(reference, candidate, tolerance)
    check("verdict", diff["verdict"], "different")
    said = diff["first_divergence"]
    for name in ("tick", "time_ns", "path", "a", "b"):
        check(f"first {name}", said[name], first[name])
    check("first index", said["index"], first["tick"])
    check("first key", said["key"], "attitude")
    check("first error", said["error"], abs(first["a"] - first["b"]))

    time_ns, readings = rows[first["tick"]]
    check("inputs", [port["key"] for port in said["inputs"]], ["imu"])
    check("time of the input", said["inputs"][0]["time_ns"], time_ns)
    check("input", [value for _, value in said["inputs"][0]["fields"]], readings)
    names = [f"{sensor}.{axis}" for sensor in SENSORS for axis in "xyz"]
    check("fields of the input", [name for name, _ in said["inputs"][0]["fields"]], names)

    key = diff["key_diffs"]["attitude"]
    check("matching messages", key["n_matching"], matching)
    check("different messages", key["n_different"], len(rows) - matching)
    check("fields", [field["path"] for field in key["fields"]], list(violations))
    for field in key["fields"]:
        path = field["path"]
        check(f"violations of {path}", field["values"]["violations"], violations[path])
        check(f"values of {path}", field["values"]["compared"], len(rows))
        if field["error"] is not None:
            check(f"largest error of {path}", field["error"]["max"], worst[path])

    print(
        f"agreed: {len(rows)} rows, {sum(violations.values())} values outside of {tolerance}, "
        f"the first at tick {first['tick']} in {first['path']}: {first['a']} and {first['b']}"
    )


def compare(reference, candidate, tolerance):
    """The first divergence; per field the violations and the largest error;
    messages without any violation."""
    first, violations, worst, matching = None, {}, {}, 0
    for a_line, b_line in zip(reference, candidate):
        a, b = flat(a_line["value"]), flat(b_line["value"])
        check("fields of both", list(b), list(a))
        matches = True
        for path in a:
            violations.setdefault(path, 0)
            if isinstance(a[path], bool):
                equal = a[path] is b[path]
            else:
                error = abs(a[path] - b[path])
                worst[path] = max(worst.get(path, 0.0), error)
                equal = error <= tolerance
            if equal:
                continue
            matches = False
            violations[path] += 1
            if first is None:
                first = {
                    "tick": a_line["sequence"],
                    "time_ns": a_line["time_ns"],
                    "path": path,
                    "a": a[path],
                    "b": b[path],
                }
        matching += matches
    return first, violations, worst, matching


def run_original(rows):
    """The Python original on the rows, without lk."""
    sys.path.insert(0, "python")
    sys.dont_write_bytecode = True
    from attitude_filter import AttitudeFilter

    defaults = re.findall(r"^float64 (\w+) (\S+)$", Path("msg/Config.msg").read_text(), re.M)
    original = AttitudeFilter(SimpleNamespace(**{name: float(text) for name, text in defaults}))
    for time_ns, readings in rows:
        vectors = [SimpleNamespace(**dict(zip("xyz", readings[i : i + 3]))) for i in (0, 3, 6)]
        imu = SimpleNamespace(**dict(zip(SENSORS, vectors)))
        yield original.step(SimpleNamespace(time_ns=time_ns, imu=imu))["attitude"]


def read_rows(path):
    """Times in ns, and nine readings each."""
    with open(path, newline="") as file:
        header, *rows = csv.reader(file)
    check("columns", len(header), 10)
    return [(int(Decimal(row[0]).scaleb(9)), [float(cell) for cell in row[1:]]) for row in rows]


def read_ndjson(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def flat(value, prefix=""):
    """Leaves by dotted path, in the order of the fields."""
    leaves = {}
    for name, part in value.items():
        if isinstance(part, dict):
            leaves.update(flat(part, f"{prefix}{name}."))
        else:
            leaves[prefix + name] = part
    return leaves


def check(what, said, found):
    if said != found:
        sys.exit(f"{what}: the report says {said}, and it is {found}")


if __name__ == "__main__":
    main()
