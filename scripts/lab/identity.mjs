import { writeFileSync } from "node:fs"
import { pathToFileURL } from "node:url"
import { inRoot } from "../setup/project.mjs"

/** PEM of an authority, and of the certificate and key of a server `host`, by the product's own authority. */
export const identityOf = async (host) => {
  const { build } = await import("esbuild")
  const { outputFiles: [bundle] } = await build({
    stdin: {
      contents: `export * from "./src/network/intercept/authority.ts"; export * from "./src/network/intercept/leaf.ts"`,
      resolveDir: inRoot()
    },
    bundle: true,
    platform: "node",
    format: "esm",
    write: false,
    logLevel: "silent",
    external: ["@peculiar/x509", "reflect-metadata"]
  })
  const file = inRoot("node_modules", ".pyro-lab-identity.mjs")
  writeFileSync(file, bundle.contents)
  const { makeAuthority, mintLeaf } = await import(pathToFileURL(file))
  const nowMs = Date.now()
  const authority = await makeAuthority({ hosts: [host], nowMs })
  const { certificate, key } = await mintLeaf(authority, host, nowMs)
  return { authority: authority.certificate, certificate, key }
}
