import { join } from "node:path"
import { bundled } from "./bundle.mjs"

/** Bundles the processes of the network (src/lib/network/dialer/main.ts), which read their program from stdin. */
export const dialProgram = async (root) => {
  const { text } = await bundled({
    entryPoints: [join(root, "src/lib/network/dialer/main.ts")],
    // The other forms of its packages hold twice as much.
    mainFields: ["module", "main"]
  })
  return text
}
