import { join } from "node:path"
import { bundled } from "./bundle.mjs"

/** Bundles the processes of the network (src/network/program.ts), which read their program from stdin. */
export const dialProgram = async (root) => {
  const { text } = await bundled({ entryPoints: [join(root, "src/network/program.ts")] })
  return text
}

/** Puts the program into the bundle of the daemon, in place of src/network/dial/program.ts. */
export const withDialProgram = (text) => ({
  name: "dial-program",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/src\/network\/dial\/program\.ts$/ }, () => ({
      loader: "js",
      contents: `export const dialProgram = () => ${JSON.stringify(text)}`
    }))
})
