import { writeFileSync } from "node:fs"
import { pathToFileURL } from "node:url"
import { inRoot } from "../setup/project.mjs"

/** PEM of an authority as tests make one, and of the certificate and key of a server `host`. */
export const identityOf = async (host) => {
  const { build } = await import("esbuild")
  const { outputFiles: [bundle] } = await build({
    stdin: {
      contents: `export * from "./test/support/network/certificates.ts"`,
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
  const { makeTestAuthority } = await import(pathToFileURL(file))
  const authority = await makeTestAuthority()
  const { cert, key } = await authority.identityOf(host)
  return { authority: authority.certificate, certificate: cert, key }
}
