#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the corpora of the MQTT packet, user name and topic targets.

Malformed packets come from the table that the unit tests run (tests/mqtt/malformed_packets.txt); valid ones stand
here. Run it again after changing either; it replaces what it made and leaves findings of the fuzzer alone.
"""
import pathlib

here = pathlib.Path(__file__).resolve().parent
corpus = here / "corpus"

valid = {
    "connect_node": "101c00044d51545404c000b4000a54656d7053656e736f720001750001 70",
    "connect_will": "101500044d515454042e00000001410001740003000102",
    "connect_mqtt_5": "100d00044d5154540502003c000000",
    "connect_mqtt_31": "100e00064d51497364700302 00000000",
    "connack": "20020100",
    "publish_qos_0": "300600016162630a",
    "publish_qos_1_dup_retain": "3b090003612f62000a00ff",
    "publish_qos_2": "340500017400 01",
    "publish_two_octet_length": "308001000174" + "00" * 125,
    "puback": "40020102",
    "pubrec": "50020001",
    "pubrel": "62020001",
    "pubcomp": "70020001",
    "subscribe": "820e000a0003612f62010003632f6402",
    "subscribe_wildcards": "8212000100032b2f2300000123010005612f2b2f6202",
    "suback": "9004000a0080",
    "unsubscribe": "a207000a0003612f62",
    "unsuback": "b002000a",
    "pingreq": "c000",
    "pingresp": "d000",
    "disconnect": "e000",
    "two_packets": "c000d000",
    "incomplete": "30ff7f0001",
}

usernames = [
    "contosoiothub.local/TempSensor/?api-version=2021-04-12&DeviceClientType=azure-iot-device%2F1.18.4%20(node)",
    "contosoiothub.local/EdgeGateway/mod1/?api-version=2020-09-30&model-id=dtmi%3Acom%3Bx",
    "h/TempSensor/?api-version=1&auth-chain=TempSensor%3BEdgeGateway",
    "h/EdgeGateway/$edgeHub/?api-version=1&api-version=2",
    "h/d/api-version=2017-06-30",
    "h/d/",
    "h/d/m/?",
    "h/d?x/?api-version=1&foo=%zz&bar&=",
    "h/d/m/api-version=2017-06-30/DeviceClientType=Microsoft.Azure.Devices.Client/1.5.1-preview-003",
    "h:8883/#+$%*?!(),=@;'/?api-version=%ff",
    "h//?api-version=1",
    "h/d/?model-id=%00",
]

topics = [
    "devices/TempSensor/messages/events/",
    "devices/TempSensor/messages/events",
    "devices/TempSensor/messages/events/%24.mid=id%201&%24.ct=application%2Fjson&alert=a%26b%3Dc%20d&%C3%A9=%C3%BC",
    "devices/TempSensor/modules/mod1/messages/events/%24.on=out1/",
    "devices/d/messages/events/$.ct=application/json&$.to=x&none&empty=",
    "devices/d/messages/events/a=1&a=2&%61=3",
    "devices/d/messages/events/iothub-ack=full&$.exp=2026-11-24T10:00:00.0000000Z&$.cdid=a&$.cmid=b",
    "devices/#+$?%/messages/events/a=%",
    "devices//messages/events/",
    "$iothub/twin/GET/?$rid=1",
]


def write(folder, name, content):
    path = corpus / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


for line in (here.parent / "tests/mqtt/malformed_packets.txt").read_text().splitlines():
    if line and not line.startswith("#"):
        name, digits, _ = line.split("|")
        write("mqtt_packet", "malformed_" + name.strip(), bytes.fromhex(digits))
for name, digits in valid.items():
    write("mqtt_packet", "valid_" + name, bytes.fromhex(digits))
for number, text in enumerate(usernames):
    write("username", f"seed_{number:02}", text.encode())
for number, text in enumerate(topics):
    write("topic", f"seed_{number:02}", text.encode())
