"""Writes the same messages in the formats of other people's packages.

usage: foreign_peer.py FORMAT VARIANT OUT

Variants: `base`; `form`, other bytes for the same content; `value`, another
pose.x in message 2; `text`, another name in message 1; `unknown` (protobuf), a
field that the type doesn't have.
"""

import json
import struct
import sys

import cbor2
import msgpack
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from mcap.writer import Writer


def messages(variant):
    for n in range(4):
        message = {
            "pose": {"x": n * 0.5, "y": -1.25},
            "name": f"m{n}",
            "steps": [1, 2, 300 + n],
            "raw": bytes([0, 255, n]),
        }
        if variant == "value" and n == 2:
            message["pose"]["x"] += 0.25
        if variant == "text" and n == 1:
            message["name"] = "other"
        yield message


def as_json(message, form):
    message = {**message, "raw": list(message["raw"])}
    if form:
        message = dict(reversed(message.items()))
    return json.dumps(message, indent=2 if form else None).encode()


def as_msgpack(message, form):
    if not form:
        return msgpack.packb(message)
    packer = msgpack.Packer()
    out = packer.pack_map_header(len(message))
    for key, value in reversed(message.items()):
        out += packer.pack(key)
        if key == "steps":
            out += packer.pack_array_header(len(value))
            out += b"".join(b"\xd3" + struct.pack(">q", v) for v in value)
        else:
            out += packer.pack(value)
    return out


def as_cbor(message, form):
    return cbor2.dumps(message, canonical=form)


def protobuf_set():
    file = descriptor_pb2.FileDescriptorProto(name="demo.proto", package="demo", syntax="proto3")
    pose = file.message_type.add(name="Pose")
    pose.field.add(name="x", number=1, type="TYPE_DOUBLE", label="LABEL_OPTIONAL")
    pose.field.add(name="y", number=2, type="TYPE_DOUBLE", label="LABEL_OPTIONAL")
    state = file.message_type.add(name="State")
    state.field.add(
        name="pose", number=1, type="TYPE_MESSAGE", type_name=".demo.Pose", label="LABEL_OPTIONAL"
    )
    state.field.add(name="name", number=2, type="TYPE_STRING", label="LABEL_OPTIONAL")
    state.field.add(name="steps", number=3, type="TYPE_INT64", label="LABEL_REPEATED")
    state.field.add(name="raw", number=4, type="TYPE_BYTES", label="LABEL_OPTIONAL")
    return descriptor_pb2.FileDescriptorSet(file=[file])


def protobuf_writer(files):
    pool = descriptor_pool.DescriptorPool()
    pool.Add(files.file[0])
    state = message_factory.GetMessageClass(pool.FindMessageTypeByName("demo.State"))

    def write(message, form):
        parts = []
        for names in (["pose", "name"], ["steps", "raw"]):
            part = state()
            if "pose" in names:
                part.pose.x, part.pose.y = message["pose"]["x"], message["pose"]["y"]
                part.name = message["name"]
            else:
                part.steps.extend(message["steps"])
                part.raw = message["raw"]
            parts.append(part.SerializeToString(deterministic=True))
        return b"".join(reversed(parts) if form else parts)

    return write


def main(encoding, variant, out):
    name, schema_encoding, schema = "", "", b""
    if encoding == "protobuf":
        files = protobuf_set()
        name, schema_encoding, schema = "demo.State", "protobuf", files.SerializeToString()
        encode = protobuf_writer(files)
    else:
        encode = {"json": as_json, "msgpack": as_msgpack, "cbor": as_cbor}[encoding]
    with open(out, "wb") as stream:
        writer = Writer(stream)
        writer.start()
        schema_id = 0
        if schema:
            schema_id = writer.register_schema(name=name, encoding=schema_encoding, data=schema)
        channel = writer.register_channel(
            topic="state", message_encoding=encoding, schema_id=schema_id
        )
        for n, message in enumerate(messages(variant)):
            data = encode(message, variant == "form")
            if variant == "unknown" and n == 3:
                data += b"\x78\x01"
            time = n * 1_000_000_000
            writer.add_message(channel_id=channel, log_time=time, publish_time=time, data=data)
        writer.finish()


main(*sys.argv[1:])
