#!/bin/sh
# What is around the host, in a network namespace of its own: outside.sh COMMAND...
set -eu
ip link set lo up
for last in 10 11 53; do ip address add 203.0.113.$last/32 dev lo; done
for address in 192.168.7.1 10.0.0.5 169.254.169.254; do ip address add $address/32 dev lo; done
ip -6 address add 2001:db8:1::10/128 dev lo nodad
exec "$@"
