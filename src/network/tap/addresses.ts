/** Gateway and resolver of the guest, in each network the same (native/tap/tap.c, guest-agent/src/net/device.c). */
export const RESOLVER = "198.18.0.2"

/** The network between the guest's and the translator to the outside. Its packets leave no host. */
export const OUTSIDE = {
  address: "198.19.0.2",
  netmask: "255.255.255.0",
  gateway: "198.19.0.1",
  /** Of IPv6, with 64 bits for the network. */
  address6: "fd70:7972:6f00:1::2",
  gateway6: "fd70:7972:6f00:1::1",
  device: "out"
} as const
