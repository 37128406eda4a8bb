import { fileURLToPath } from "node:url"
import { defineConfig, type Plugin } from "vite"

const root = fileURLToPath(new URL(".", import.meta.url))

/** xterm.js with the document of src/shells/constructed-styles.ts, which needs no inline styles. */
const xtermDocument = (): Plugin => ({
  name: "xterm-document",
  enforce: "pre",
  transform: (code, id) => {
    if (!/@xterm\/xterm\/lib\/xterm\.mjs$/.test(id)) return undefined
    if (!code.includes("window.document")) throw new Error("xterm.js takes its document from elsewhere: look again")
    const from = JSON.stringify(fileURLToPath(new URL("src/shells/constructed-styles.ts", import.meta.url)))
    return {
      code: `import { document } from ${from}\n${code.replaceAll("window.document", "document")}`,
      map: null
    }
  }
})

/** The page: static files that the daemon serves. Scripts and styles are files of their own, because its policy allows none inside the HTML. */
export default defineConfig({
  root,
  base: "/",
  plugins: [xtermDocument()],
  build: {
    outDir: fileURLToPath(new URL("../../dist/web", import.meta.url)),
    emptyOutDir: true,
    target: "es2022",
    // A `data:` URL is not allowed by the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // The page is one program that every view needs; the terminal alone loads late.
    chunkSizeWarningLimit: 1_000,
    rolldownOptions: {
      // The wire and its rows use Node's name for bytes.
      transform: { inject: { Buffer: [fileURLToPath(new URL("src/wire/buffer.ts", import.meta.url)), "Buffer"] } }
    }
  }
})
