import { readFile } from "node:fs/promises"

/** As ssh2 has it. A client's packet is longer if its command is: OpenSSH sends up to 256 KiB. */
const LIMIT = "const MAX_PACKET_SIZE = 35000;"
const LIMIT_OF_OPENSSH = "const MAX_PACKET_SIZE = 262144;"

/** The source of ssh2's ciphers with OpenSSH's limit of packets. Fails for a source that has the limit in another form. */
export const withLongPackets = (source) => {
  if (source.split(LIMIT).length !== 2) throw new Error(`ssh2's crypto.js no longer has: ${LIMIT}`)
  return source.replace(LIMIT, LIMIT_OF_OPENSSH)
}

/** Builds ssh2 with OpenSSH's limit of packets, for which the package has no option. */
export const longPackets = {
  name: "long-packets",
  setup: ({ onLoad }) => {
    onLoad({ filter: /\/ssh2\/lib\/protocol\/crypto\.js$/ }, async ({ path }) => ({
      contents: withLongPackets(await readFile(path, "utf8")),
      loader: "js"
    }))
  }
}
