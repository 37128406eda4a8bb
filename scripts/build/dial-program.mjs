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

/** The bundle of the daemon finds the program in this file beside itself. */
export const withDialProgram = (name, { isNeeded = true } = {}) => ({
  name: "dial-program",
  setup: ({ onEnd, onLoad }) => {
    let isLoaded = false
    onLoad({ filter: /\/src\/lib\/network\/daemon\/dial\/program-file\.ts$/ }, () => {
      isLoaded = true
      return {
        loader: "js",
        contents: `export const dialProgramFile = () => __dirname + ${JSON.stringify(`/${name}`)}`
      }
    })
    // The module has another address, and a daemon would read the program of another build.
    onEnd(({ errors }) =>
      errors.length > 0 || isLoaded || !isNeeded ? {} : { errors: [{ text: "nothing loads program-file.ts" }] }
    )
  }
})
