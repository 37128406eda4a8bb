import { join } from "node:path"
import { bundled } from "./bundle.mjs"

/** Bundles the dial process (src/lib/network/dialer/process.ts), which reads its program from stdin. */
export const dialProgram = async (root) => {
  const { text } = await bundled({
    entryPoints: [join(root, "src/lib/network/dialer/process.ts")],
    // The other forms of its packages hold twice as much.
    mainFields: ["module", "main"]
  })
  return text
}
