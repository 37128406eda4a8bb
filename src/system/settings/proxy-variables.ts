const readers = "the daemon, when it starts"

/** The person's proxies, for connections of guests. A part of `variables`. */
export const proxyVariables = {
  HTTPS_PROXY: {
    group: "host",
    allowed: { kind: "text", what: "the URL of an HTTP or SOCKS5 proxy" },
    otherwise: "none",
    purpose:
      "Proxy for a guest's connections to every port but 80: `http://`, `socks5://` or `socks5h://[USER:PASSWORD@]HOST[:PORT]`",
    readers
  },
  https_proxy: {
    group: "host",
    allowed: { kind: "text", what: "the URL of an HTTP or SOCKS5 proxy" },
    otherwise: "none",
    purpose: "As `HTTPS_PROXY`, and comes first",
    readers
  },
  HTTP_PROXY: {
    group: "host",
    allowed: { kind: "text", what: "the URL of an HTTP or SOCKS5 proxy" },
    otherwise: "none",
    purpose: "The same for port 80",
    readers
  },
  http_proxy: {
    group: "host",
    allowed: { kind: "text", what: "the URL of an HTTP or SOCKS5 proxy" },
    otherwise: "none",
    purpose: "As `HTTP_PROXY`, and comes first",
    readers
  },
  ALL_PROXY: {
    group: "host",
    allowed: { kind: "text", what: "the URL of an HTTP or SOCKS5 proxy" },
    otherwise: "none",
    purpose: "The same for ports whose own variable is absent",
    readers
  },
  all_proxy: {
    group: "host",
    allowed: { kind: "text", what: "the URL of an HTTP or SOCKS5 proxy" },
    otherwise: "none",
    purpose: "As `ALL_PROXY`, and comes first",
    readers
  },
  NO_PROXY: {
    group: "host",
    allowed: { kind: "text", what: "names and addresses, separated by commas" },
    otherwise: "none",
    purpose:
      "Hosts that a guest's connections reach without a proxy: names (with the names beneath them), addresses, ranges or `*`, separated by commas",
    readers
  },
  no_proxy: {
    group: "host",
    allowed: { kind: "text", what: "names and addresses, separated by commas" },
    otherwise: "none",
    purpose: "As `NO_PROXY`, and comes first",
    readers
  }
} as const
