#!/usr/bin/env python3
"""Reads a data directory of the embedded log, written from docs/formats/log.md only.

usage: log_reader.py DIRECTORY [--expect FILE]

Checks what the document says and prints counts and a digest of all records, one line a partition. With --expect, the
lines must be those of FILE. Exit code 1 where they are not, or where the log is damaged."""

import argparse
import os
import struct
import sys
import uuid

SEGMENT_MAGIC = b"LFSEG\r\n\xff"
BATCH_MAGIC = b"\xffLFB"


class Damage(Exception):
    pass


def crc_table():
    table = []
    for i in range(256):
        crc = i
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


CRC_TABLE = crc_table()


def crc32c(data, seed=0):
    crc = seed ^ 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def murmur2(data):
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = (0x9747B28C ^ len(data)) & mask
    whole = len(data) // 4 * 4
    for i in range(0, whole, 4):
        k = struct.unpack_from("<I", data, i)[0] * m & mask
        k = (k ^ k >> 24) * m & mask
        h = h * m & mask ^ k
    if len(data) > whole:
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


class Cursor:
    def __init__(self, data, end=None):
        self.data, self.at, self.end = data, 0, len(data) if end is None else end

    def raw(self, size):
        if size > self.end - self.at:
            raise Damage("a record that runs past its end")
        self.at += size
        return self.data[self.at - size : self.at]

    def varint(self):
        value = 0
        for shift in range(0, 70, 7):
            byte = self.raw(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise Damage("a varint of more than ten bytes")

    def zigzag(self):
        value = self.varint()
        return value >> 1 if value % 2 == 0 else -(value >> 1) - 1

    def text(self):
        return self.raw(self.varint()).decode("utf-8")


def read_manifest(directory):
    with open(os.path.join(directory, "manifest"), "rb") as file:
        content = file.read()
    lines = content.decode("ascii").split("\n")
    if lines.pop() != "" or not lines[-1].startswith("crc32c "):
        raise Damage("the manifest does not end with its checksum")
    checked = content[: content.rindex(b"crc32c ")]
    if crc32c(checked) != int(lines[-1].split(" ")[1], 16):
        raise Damage("the manifest's checksum does not hold")
    if lines[0] != "leftfold-log 1":
        raise Damage(f"not a log of version 1: {lines[0]}")
    manifest = {"topics": {}, "durable": {}}
    for line in lines[1:-1]:
        words = line.split(" ")
        if words[0] == "incarnation":
            manifest["incarnation"] = uuid.UUID(words[1])
        elif words[0] == "epoch":
            manifest["epoch"] = int(words[1])
        elif words[0] == "topic":
            manifest["topics"][words[1]] = int(words[2])
        elif words[0] == "durable":
            manifest["durable"][words[1], int(words[2])] = int(words[3])
    return manifest


def read_segment_header(data):
    if data[:8] != SEGMENT_MAGIC:
        raise Damage("not a segment")
    checksum, length, version, required = struct.unpack_from("<IHHI", data, 8)
    if crc32c(data[12:length]) != checksum:
        raise Damage("the segment header's checksum does not hold")
    if version != 1 or required != 0:
        raise Damage(f"a segment of version {version} with features {required}")
    header = {"seed": checksum, "length": length, "incarnation": uuid.UUID(bytes=data[24:40])}
    header["base"], header["previous_base"] = struct.unpack_from("<qq", data, 40)
    header["epoch"], header["partition"], name = struct.unpack_from("<IIH", data, 64)
    header["topic"] = data[74 : 74 + name].decode("ascii")
    return header


def read_batch(data, at, seed):
    """The batch at an offset, or None if there is none."""
    if data[at : at + 4] != BATCH_MAGIC or len(data) - at < 64:
        return None
    checksum, length = struct.unpack_from("<II", data, at + 4)
    if length > 64 * 1024 * 1024 or length > len(data) - at or crc32c(data[at + 8 : at + length], seed) != checksum:
        return None
    fields = struct.unpack_from("<HBBIIqqqqIH", data, at + 12)
    header, codec, required, key_id, count, base, version, recorded, durable, epoch, key_bytes = fields
    if codec != 1 or required != 0 or key_id != 0:
        raise Damage(f"a batch of a newer form at byte {at}")
    key = data[at + header : at + header + key_bytes]
    records, cursor = [], Cursor(data, at + length)
    cursor.at = at + header + key_bytes
    for i in range(count):
        size = cursor.varint()
        record = Cursor(cursor.raw(size))
        event = {"id": uuid.UUID(bytes=record.raw(16)), "key": key.decode("utf-8")}
        flags = record.varint()
        event["client"] = flags & 1
        event["type_version"] = record.varint()
        event["time"] = recorded + record.zigzag()
        event["type"] = record.text()
        event["command_id"] = record.text()
        event["hash"] = record.raw(16).hex() if flags & 2 else "0" * 32
        for name in ("correlation_id", "causation_id", "traceparent", "actor", "tenant", "payload"):
            event[name] = record.text()
        event["recorded_at"], event["position"], event["version"] = recorded, base + i, version + i
        records.append(event)
    if cursor.at != at + length:
        raise Damage(f"a batch with bytes behind its records at byte {at}")
    return {"length": length, "records": records, "recorded_at": recorded, "durable": durable, "epoch": epoch, "key": key}


class PartitionReader:
    def __init__(self, directory, manifest, topic, partition):
        self.folder = os.path.join(directory, "topics", topic, str(partition))
        self.manifest, self.topic, self.partition = manifest, topic, partition
        self.versions, self.end, self.recorded_at, self.durable = {}, 0, None, manifest["durable"][topic, partition]
        self.batches, self.records, self.digest = 0, 0, 0

    def run(self):
        names = sorted(name for name in os.listdir(self.folder) if name.endswith(".log"))
        previous = -1
        for name in names:
            with open(os.path.join(self.folder, name), "rb") as file:
                data = file.read()
            header = read_segment_header(data)
            expected = (self.manifest["incarnation"], self.topic, self.partition, int(name[:20]), previous)
            found = (header["incarnation"], header["topic"], header["partition"], header["base"], header["previous_base"])
            if found != expected:
                raise Damage(f"{name} is {found}, expected {expected}")
            previous = header["base"]
            at = self.read_batches(data, header)
            if name != names[-1]:
                if at != len(data):
                    raise Damage(f"{name}: a break at byte {at} of a closed segment")
            else:
                self.look_behind(data, at, header["seed"])
        if self.durable > self.end:
            raise Damage(f"ends at {self.end}, but was durable up to {self.durable}")
        return (
            f"{self.topic}/{self.partition} segments {len(names)} batches {self.batches} records {self.records} "
            f"streams {len(self.versions)} end {self.end} digest {self.digest:08x}"
        )

    def read_batches(self, data, header):
        at = header["length"]
        while batch := read_batch(data, at, header["seed"]):
            self.check(batch, at)
            for event in batch["records"]:
                self.add_to_digest(event)
            self.batches += 1
            at += batch["length"]
        return at

    def check(self, batch, at):
        first = batch["records"][0]
        if first["position"] != self.end:
            raise Damage(f"position {first['position']} at byte {at}, expected {self.end}")
        if self.recorded_at is not None and batch["recorded_at"] < self.recorded_at:
            raise Damage(f"recorded-at falls at byte {at}")
        if first["version"] != self.versions.get(first["key"], 0) + 1:
            raise Damage(f"version {first['version']} of {first['key']} at byte {at}")
        if (murmur2(batch["key"]) & 0x7FFFFFFF) % self.manifest["topics"][self.topic] != self.partition:
            raise Damage(f"{first['key']} does not belong to this partition")
        if batch["epoch"] > self.manifest["epoch"] or batch["durable"] > first["position"]:
            raise Damage(f"epoch or durable position of the batch at byte {at} cannot be")
        self.end = batch["records"][-1]["position"] + 1
        self.versions[first["key"]] = batch["records"][-1]["version"]
        self.recorded_at = batch["recorded_at"]
        self.durable = max(self.durable, batch["durable"])

    def look_behind(self, data, at, seed):
        while (at := data.find(BATCH_MAGIC, at)) >= 0:
            if batch := read_batch(data, at, seed):
                self.durable = max(self.durable, batch["durable"])
            at += 1

    def add_to_digest(self, event):
        names = ("position", "version", "key", "id", "type", "type_version", "time", "recorded_at", "command_id", "client")
        names += ("hash", "correlation_id", "causation_id", "traceparent", "actor", "tenant", "payload")
        line = "\t".join(str(event[name]) for name in names) + "\n"
        self.digest = crc32c(line.encode("utf-8"), self.digest)
        self.records += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("--expect", metavar="FILE")
    arguments = parser.parse_args()
    assert crc32c(b"123456789") == 0xE3069283
    lines = []
    try:
        manifest = read_manifest(arguments.directory)
        for topic, count in manifest["topics"].items():
            for partition in range(count):
                lines.append(PartitionReader(arguments.directory, manifest, topic, partition).run())
    except (Damage, OSError, UnicodeDecodeError) as error:
        print(f"damaged: {error}", file=sys.stderr)
        return 1
    print("\n".join(lines))
    if arguments.expect:
        with open(arguments.expect, encoding="utf-8") as file:
            expected = file.read().splitlines()
        if lines != expected:
            print("differs from what the writer says:", *expected, sep="\n", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
