import { createHmac } from "node:crypto"

/** Keys of one host, as base64 of their blobs. */
export type HostKeys = ReadonlySet<string>

const isHashed = (pattern: string, host: string) => {
  const [, salt, hash] = /^\|1\|([A-Za-z0-9+/=]+)\|([A-Za-z0-9+/=]+)$/.exec(pattern) ?? []
  return salt !== undefined &&
    createHmac("sha1", Buffer.from(salt, "base64")).update(host).digest("base64") === hash
}

/**
 * The keys of a host in a file known_hosts (sshd(8)). Names with wildcards and authorities are left out: a lent agent is for hosts that the
 * person has met by their own key. A key that the file revokes is left out.
 */
export const keysIn = (text: string, host: string): HostKeys => {
  const found = new Set<string>()
  const revoked = new Set<string>()
  for (const line of text.split("\n")) {
    const words = line.trim().split(/\s+/)
    if (words[0] === "" || words[0]!.startsWith("#")) continue
    const marker = words[0]!.startsWith("@") ? words.shift() : undefined
    const [hosts = "", , key = ""] = words
    if (marker === "@revoked") revoked.add(key)
    if (marker !== undefined || !/^[A-Za-z0-9+/=]+$/.test(key)) continue
    const names = hosts.startsWith("|") ? [hosts] : hosts.toLowerCase().split(",")
    if (names.includes(`!${host}`)) continue
    if (names.some((name) => name === host || isHashed(name, host))) found.add(key)
  }
  return new Set([...found].filter((key) => !revoked.has(key)))
}
