import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { rootCertificates } from "node:tls"
import { hostAuthorities } from "../../../../../src/lib/network/authorities.ts"
import { temporary } from "../package-cache/package-cache.ts"
import { makeIdentity } from "./intercepted.ts"

describe("what a host trusts beyond the public authorities", () => {
  it.live("an authority of a company, once; no public one, and no certificate of a server", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      const [company, extra, packaged] = yield* Effect.all([makeIdentity, makeIdentity, makeIdentity])
      const pem = (identity: typeof company) => identity.authority.certificate.trim()
      const file = join(folder, "bundle.pem")
      const extraFile = join(folder, "extra.pem")
      mkdirSync(join(folder, "public"))
      writeFileSync(join(folder, "public/packaged.crt"), pem(packaged))
      writeFileSync(file, [...rootCertificates, pem(packaged), company.cert, pem(company), "no PEM"].join("\n"))
      writeFileSync(extraFile, [pem(company), pem(extra)].join("\n"))
      const found = (trust: Parameters<typeof hostAuthorities>[0]) => hostAuthorities(trust, join(folder, "public"))
      assert.deepStrictEqual(found({ file, extraFile }), [pem(company), pem(extra)])
      assert.deepStrictEqual(found({ file, extraFile: undefined }), [pem(company)])
      assert.deepStrictEqual(found({ file: join(folder, "none"), extraFile: undefined }), [])
    }))
})
