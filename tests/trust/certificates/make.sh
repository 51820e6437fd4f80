#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the certificates that our own profiles would not make, valid for a hundred years. Their keys are thrown away.
set -e
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf 'keyUsage=critical,digitalSignature\nbasicConstraints=critical,CA:FALSE\n' > "$work/leaf"

root() { # name, days
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/$1.key" -out "$1.pem" \
      -days "$2" -subj "/CN=test_$1" -addext keyUsage=critical,keyCertSign
}
leaf() { # name, subject, issuer
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key" -out "$work/csr" -subj "$2"
    openssl x509 -req -in "$work/csr" -CA "$3.pem" -CAkey "$work/$3.key" -days 36500 -extfile "$work/leaf" \
      -out "$1.pem"
}
root root 36500
leaf no_extended_key_usage /CN=TempSensor root
leaf two_equal_common_names /CN=TempSensor/CN=TempSensor root
leaf two_common_names /CN=another/CN=TempSensor root
leaf no_common_name /O=TempSensor root
# Tests play on 2026-11-25 and look at what is there a year later: make these two around that day.
root short_lived_root 30
leaf outlives_its_issuer /CN=TempSensor short_lived_root
