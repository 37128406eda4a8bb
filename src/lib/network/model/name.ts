import { THIS_HOST } from "../../../contract/text/this-host.ts"

export { THIS_HOST }

/** Addresses on which services of the loopback listen. */
export const LOOPBACK = ["127.0.0.1", "::1"] as const

/** Longest name in text form (RFC 1035, 2.3.4): 255 octets on the wire. */
const MAX_NAME_CHARACTERS = 253
/** Longest label (RFC 1035, 2.3.4). */
const MAX_LABEL_CHARACTERS = 63

/** Letters, digits, hyphens (RFC 1123, 2.1) and underscores, which names of real hosts and of services have. */
const LABEL = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/
const TOP_LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/
/**
 * A last label that makes resolvers read the whole name as an address: `127.1`, `0x7f.1`, `2130706433` ("ends in a number" of the
 * URL standard, as `inet_aton` reads it).
 */
const NUMBER = /^([0-9]+|0x[0-9a-f]*)$/

/** Names of this host itself (RFC 6761, 6.3). */
const isLocalhost = (name: string) => name === "localhost" || name.endsWith(".localhost")

/** A name in its one form: lower case, without the dot of the root. */
interface HostName {
  readonly _tag: "HostName"
  readonly name: string
}

interface BadName {
  readonly _tag: "BadName"
  /** A clause that follows the name in a sentence. */
  readonly reason: string
}

const bad = (reason: string): BadName => ({ _tag: "BadName", reason })

/**
 * Reads the full name of a host strictly. Names outside ASCII are refused: DNS knows their Punycode form (`xn--…`), which
 * makes a look-alike visible.
 */
export const readName = (text: string): HostName | BadName => {
  if (/[^\x21-\x7e]/.test(text)) {
    return bad(
      /[^\0-\x7f]/.test(text)
        ? "has characters outside ASCII; write its Punycode form (xn--…)"
        : "has a space or a control character"
    )
  }
  const name = text.toLowerCase().replace(/\.$/, "")
  if (name === "") return bad("is empty")
  if (name.length > MAX_NAME_CHARACTERS) return bad(`is longer than ${MAX_NAME_CHARACTERS} characters`)
  if (isLocalhost(name)) return bad("is the host itself")
  const labels = name.split(".")
  const top = labels.at(-1)!
  if (labels.some((label) => label === "")) return bad("has an empty label")
  if (labels.some((label) => label.length > MAX_LABEL_CHARACTERS)) {
    return bad(`has a label longer than ${MAX_LABEL_CHARACTERS} characters`)
  }
  if (NUMBER.test(top)) return bad("is a number or an odd form of an address, and no name")
  if (!labels.every((label) => LABEL.test(label)) || !TOP_LABEL.test(top)) return bad("is no valid host name")
  if (labels.length === 1) return bad("has a single label; write the full name")
  return { _tag: "HostName", name }
}

/** Services whose clients ask for SRV records (RFC 2782): apt, databases, mail, chat, directories, calendars. */
const SRV_SERVICES = [
  ...["http", "https", "mongodb", "mysql", "postgresql", "etcd-client", "etcd-client-ssl"],
  ...["imap", "imaps", "pop3", "pop3s", "submission", "submissions", "caldav", "caldavs", "carddav", "carddavs"],
  ...["xmpp-client", "xmpp-server", "matrix", "matrix-fed", "sip", "sips", "ldap", "ldaps", "kerberos", "kpasswd"]
]

/** Labels in front of a host's name with which clients ask for its records. Others would carry data out. */
const SERVICE_LABELS = new Set([
  ...SRV_SERVICES.flatMap((service) => [`_${service}._tcp`, `_${service}._udp`]),
  // TXT: RFC 8555, 7489, 8461 and MIT Kerberos.
  ...["_acme-challenge", "_dmarc", "_mta-sts", "_kerberos"]
])

/** The host name that records of a known service belong to: `_http._tcp.example.com` belongs to `example.com`. Every other name stays. */
export const withoutServiceLabels = (name: string): string => {
  const [, labels = "", host = name] = /^((?:_[^.]*\.)+)(.+)$/.exec(name) ?? []
  return SERVICE_LABELS.has(labels.slice(0, -1).toLowerCase()) ? host : name
}
