"""Other people's readers and writers of ROS 2 recordings, against lk.

    peers.py read-rosbags FILE CASES     compare a file of lk with the cases
    peers.py read-mcap-ros2 FILE CASES   the same with mcap-ros2-support
    peers.py write-rosbags FOLDER CASES STORAGE COMPRESSION
    peers.py count FOLDER                how many messages rosbags finds
    peers.py types                       the types that rosbags knows, as JSON

Message number i of a case was written at i + 1 milliseconds. A comparison ends
with 1 at the first difference, naming the field, and else prints how many
messages and single values were compared.
"""

import json
import math
import struct
import sys
import warnings
from pathlib import Path


# The byte that stands for an empty message, in IDL; rosbags shows it.
EMPTY_FIELD = "structure_needs_at_least_one_member"


def expected_messages(cases):
    return {(case["key"], i): m for case in cases for i, m in enumerate(case["messages"])}


def time_ns(index):
    return (index + 1) * 1_000_000


class Comparison:
    """Compares messages with the cases and counts what it saw."""

    def __init__(self, cases, fields_of):
        self.fields_of = fields_of
        self.expected = expected_messages(cases)
        self.types = {case["key"]: case["type"] for case in cases}
        self.seen = {}
        self.values = 0

    def message(self, key, type_name, time, message):
        index = self.seen.get(key, 0)
        self.seen[key] = index + 1
        where = f"{key}[{index}]"
        self.equal(f"type of {where}", type_name, self.types[key])
        self.equal(f"time of {where}", time, time_ns(index))
        self.record(where, message, self.expected.pop((key, index)))

    def record(self, where, actual, expected):
        names = [name for name in self.fields_of(actual) if name != EMPTY_FIELD]
        self.equal(f"fields of {where}", names, list(expected))
        for name in names:
            self.value(f"{where}.{name}", getattr(actual, name), expected[name])

    def value(self, where, actual, expected):
        if isinstance(expected, dict):
            self.record(where, actual, expected)
        elif isinstance(expected, list):
            actual = list(actual)
            self.equal(f"length of {where}", len(actual), len(expected))
            for i, (a, e) in enumerate(zip(actual, expected, strict=True)):
                self.value(f"{where}[{i}]", a, e)
        else:
            self.values += 1
            self.single(where, actual, expected)

    def single(self, where, actual, expected):
        if hasattr(actual, "item"):  # of NumPy
            actual = actual.item()
        if isinstance(actual, float):
            expected = float({"NaN": "nan", "-Infinity": "-inf"}.get(expected, expected))
            if math.isnan(expected) and math.isnan(actual):
                return
            # Bits, so that -0.0 is not 0.0.
            self.equal(where, struct.pack("<d", actual), struct.pack("<d", expected))
        else:
            self.equal(where, type(actual), type(expected))
            self.equal(where, actual, expected)

    def equal(self, where, actual, expected):
        if actual != expected:
            sys.exit(f"{where}: read {actual!r}, written {expected!r}")

    def finish(self):
        if self.expected:
            sys.exit(f"not read: {sorted(self.expected)}")
        print(json.dumps({"messages": sum(self.seen.values()), "values": self.values}))


def read_rosbags(path, cases):
    from rosbags.highlevel import AnyReader

    with AnyReader([Path(path)]) as reader:
        definitions = reader.typestore.fielddefs
        comparison = Comparison(cases, lambda m: [f[0] for f in definitions[m.__msgtype__][1]])
        for connection, time, payload in reader.messages():
            message = reader.deserialize(payload, connection.msgtype)
            comparison.message(connection.topic, connection.msgtype, time, message)
    comparison.finish()


def read_mcap_ros2(path, cases):
    warnings.simplefilter("ignore")
    from mcap.reader import make_reader
    from mcap_ros2.decoder import DecoderFactory

    comparison = Comparison(cases, lambda m: m.__slots__)
    with open(path, "rb") as file:
        reader = make_reader(file, validate_crcs=True, decoder_factories=[DecoderFactory()])
        for schema, channel, message, decoded in reader.iter_decoded_messages():
            comparison.message(channel.topic, schema.name, message.log_time, decoded)
    comparison.finish()


def definition(case):
    return "\n".join(case["text"]) + "\n"


def typestore_for(cases):
    """The types of all cases, and of everything nested in them."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.ROS2_HUMBLE)
    divider = "=" * 80 + "\n"
    for case in cases:
        types = {}
        for i, section in enumerate(definition(case).split(divider)):
            name = case["type"]
            if i > 0:
                header, section = section.split("\n", 1)
                name = header.removeprefix("MSG: ")
            types.update(get_types_from_msg(section, name))
        store.register({n: t for n, t in types.items() if n not in store.fielddefs})
    return store


def build(store, type_name, fields):
    """A message of rosbags from plain data."""
    import numpy
    from rosbags.interfaces import Nodetype

    def element(node, value):
        kind, detail = node
        if kind == Nodetype.NAME:
            return build(store, detail, value)
        if detail[0] in ("float32", "float64"):
            return float({"NaN": "nan", "-Infinity": "-inf"}.get(value, value))
        return value

    arguments = {}
    for name, node in store.fielddefs[type_name][1]:
        kind, detail = node
        if name not in fields:
            assert name == EMPTY_FIELD, name
            arguments[name] = 0
        elif kind in (Nodetype.ARRAY, Nodetype.SEQUENCE):
            inner = detail[0]
            values = [element(inner, value) for value in fields[name]]
            base = inner[1][0]
            if inner[0] == Nodetype.BASE and base != "string":
                dtype = {"byte": "uint8", "octet": "uint8", "char": "uint8"}.get(base, base)
                values = numpy.array(values, dtype=dtype)
            arguments[name] = values
        else:
            arguments[name] = element(node, fields[name])
    return store.types[type_name](**arguments)


def write_rosbags(folder, cases, storage, compression):
    from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

    store = typestore_for(cases)
    writer = Writer(Path(folder), version=9, storage_plugin=StoragePlugin[storage])
    writer.set_compression(CompressionMode[compression], CompressionFormat.ZSTD)
    with writer:
        for case in cases:
            connection = writer.add_connection(case["key"], case["type"], typestore=store)
            for i, fields in enumerate(case["messages"]):
                message = build(store, case["type"], fields)
                payload = store.serialize_cdr(message, case["type"])
                writer.write(connection, time_ns(i), payload)


def count(path):
    from rosbags.rosbag2 import Reader

    with Reader(path) as reader:
        print(sum(1 for _ in reader.messages()))


def types():
    from rosbags.typesys import Stores, get_typestore

    found = {}
    for name in ("ROS2_HUMBLE", "ROS2_JAZZY"):
        store = get_typestore(Stores[name])
        found[name] = {t: store.generate_msgdef(t, ros_version=2)[0] for t in store.fielddefs}
    print(json.dumps(found))


def main(command, *arguments):
    if command == "types":
        return types()
    if command == "count":
        return count(*arguments)
    path, cases, *rest = arguments
    cases = json.loads(Path(cases).read_text())
    commands = {
        "read-rosbags": read_rosbags,
        "read-mcap-ros2": read_mcap_ros2,
        "write-rosbags": write_rosbags,
    }
    return commands[command](path, cases, *rest)


if __name__ == "__main__":
    main(*sys.argv[1:])
