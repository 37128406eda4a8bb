import { build } from "esbuild"

/** Modules of src, for a script: `contents` is TypeScript that exports them, with paths from the project's root. */
export const importSources = async (root, contents) => {
  const { outputFiles: [bundle] } = await build({
    stdin: { contents, resolveDir: root, loader: "ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    write: false
  })
  return import(`data:text/javascript;base64,${Buffer.from(bundle.contents).toString("base64")}`)
}
