import { readFileSync } from "node:fs"
import { join } from "node:path"
import { run } from "../setup/child.mjs"

/** Debian packages whose code is linked into the compiled programs, with their licenses. */
const linked = [
  { name: "libext2fs-dev", license: "LGPL-2.0-only" },
  { name: "libc6-dev", license: "LGPL-2.1-or-later" },
  { name: "musl-dev", license: "MIT" }
]

/**
 * What the package is made of, as CycloneDX 1.5 (https://cyclonedx.org/docs/1.5/json/): bundled npm packages with their hashes, and
 * the libraries that the compiled programs contain. Without a time and a serial number, so that equal parts give equal files.
 */
export const billOfMaterials = async (root, packages) => {
  const { license, name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
      component: {
        type: "application",
        name,
        version,
        purl: `pkg:npm/${name}@${version}`,
        licenses: [{ license: { id: license } }]
      }
    },
    components: [...packages.map(npmComponent), ...await Promise.all(linked.map(debianComponent))]
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

const npmComponent = ({ integrity, license, name, version }) => ({
  type: "library",
  name,
  version,
  purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
  ...(license === undefined ? {} : { licenses: [{ license: { id: license } }] }),
  ...(integrity?.startsWith("sha512-") !== true ? {} : {
    hashes: [{ alg: "SHA-512", content: Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex") }]
  })
})

const debianComponent = async ({ license, name }) => {
  const { code, output } = await run(["dpkg-query", "--show", "--showformat", "${Version}", name])
  const version = code === 0 ? output.trim() : undefined
  return {
    type: "library",
    name,
    ...(version === undefined ? {} : { version }),
    licenses: [{ license: { id: license } }],
    purl: `pkg:deb/debian/${name}${version === undefined ? "" : `@${encodeURIComponent(version)}`}?arch=amd64`
  }
}
