import { createHash } from "node:crypto"

/** Bytes that no compression makes smaller, the same in each run. */
export const noise = (name: string, bytes: number) => {
  const blocks = Array.from({ length: bytes / 32 }, (_, at) => createHash("sha256").update(`${name} ${at}`).digest())
  return Buffer.concat(blocks).toString("latin1")
}
