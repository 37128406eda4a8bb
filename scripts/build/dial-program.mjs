import { join } from "node:path"
import { bundled } from "./bundle.mjs"

/** Bundles the dial process (src/network/dial/process.ts), which reads its program from stdin. */
export const dialProgram = async (root) => {
  const { text } = await bundled({ entryPoints: [join(root, "src/network/dial/process.ts")] })
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
