import { createHash } from "node:crypto"

/** Name of a file with these contents: another build never changes a file that a running pyro still reads. */
export const hashed = (name, contents, extension = "cjs") =>
  `${name}-${createHash("sha256").update(contents).digest("hex").slice(0, 16)}.${extension}`
