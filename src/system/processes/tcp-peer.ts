import { readFileSync } from "node:fs"

/** An address of 127.0.0.1 in /proc/net/tcp: the bytes of the address in the order of the processor, and the port. */
const addressOf = (port: number) => `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`

/** The user of the socket at 127.0.0.1:`from` that is connected to 127.0.0.1:`to`, in the text of /proc/net/tcp. */
export const userIn = (table: string, from: number, to: number): number | undefined => {
  const ends = `${addressOf(from)} ${addressOf(to)} `
  const at = table.indexOf(`: ${ends}`)
  if (at < 0) return undefined
  // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid
  const uid = Number(table.slice(at + 2, table.indexOf("\n", at)).trim().split(/\s+/)[6])
  return Number.isInteger(uid) ? uid : undefined
}

/** The user at the other end of a connection over the loopback. Undefined if the kernel does not tell. */
export const peerUser = (from: number, to: number): number | undefined => {
  try {
    return userIn(readFileSync("/proc/net/tcp", "latin1"), from, to)
  } catch {
    return undefined
  }
}
