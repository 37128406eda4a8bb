import { fileURLToPath } from "node:url"
import { defineConfig } from "vite"

const root = fileURLToPath(new URL(".", import.meta.url))

/** The page: static files that the daemon serves. Scripts and styles are files of their own, because its policy allows none inside the HTML. */
export default defineConfig({
  root,
  base: "/",
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
