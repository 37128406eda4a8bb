#!/bin/sh
# The host of the tests, in a network and mount namespace of its own: world.sh OUTSIDE_PID RESOLV_CONF HOSTS KIND COMMAND...
set -eu
outside=$1 resolv=$2 hosts=$3 kind=$4
shift 4
out() { nsenter --target "$outside" --net -- "$@"; }

mount --bind "$resolv" /etc/resolv.conf
mount --bind "$hosts" /etc/hosts
ip link set lo up
# As systemd sets it: all users may send echo requests.
echo "0 2147483647" 2> /dev/null > /proc/sys/net/ipv4/ping_group_range || true # a user namespace lacks the groups
if [ "$kind" != unplugged ]; then
  ip link add wan type veth peer name wan netns "$outside"
  ip link set wan up
  out ip link set wan up
  ip address add 198.51.100.2/24 dev wan
  out ip address add 198.51.100.1/24 dev wan
  ip route add default via 198.51.100.1
  # An address of this host that no interface has.
  ip route add local 203.0.113.99/32 dev lo
  ip route add unreachable 203.0.113.66/32
  if [ "$kind" = dual ]; then
    ip -6 address add 2001:db8::2/64 dev wan nodad
    out ip -6 address add 2001:db8::1/64 dev wan nodad
    ip -6 route add default via 2001:db8::1
  else
    echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6
  fi
fi
exec "$@"
