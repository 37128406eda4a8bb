import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { createSecureContext, rootCertificates, type SecureContext } from "node:tls"
import type { Trust } from "../../model/trust.ts"

/** Files of distributions, in the order of Go's crypto/x509 (root_linux.go); the last is also macOS'. */
const HOST_FILES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem"
]

/** The host's own file; `undefined` without one. */
export const hostFile = (): string | undefined => HOST_FILES.find((path) => existsSync(path))

const textOf = (path: string) => readFile(path, "latin1")

/** The host's authorities; those of Node if the host has no file. */
const hostAuthorities = async (): Promise<ReadonlyArray<string>> => {
  for (const path of HOST_FILES) {
    const text = await textOf(path).catch(() => undefined)
    if (text !== undefined) return [text]
  }
  return rootCertificates
}

const read = async ({ extraFile, file }: Trust) => {
  const roots = file === undefined ? await hostAuthorities() : [await textOf(file)]
  const extra = extraFile === undefined ? [] : [await textOf(extraFile)]
  return createSecureContext({ ca: [...roots, ...extra], minVersion: "TLSv1.2" })
}

const kept = new Map<string, Promise<SecureContext>>()

/** TLS context with the authorities of the host. The first call reads the files: some hundred certificates take 20 ms. */
export const clientContext = (trust: Trust): Promise<SecureContext> => {
  const key = JSON.stringify(trust)
  const found = kept.get(key)
  if (found !== undefined) return found
  const context = read(trust)
  context.catch(() => kept.delete(key))
  kept.set(key, context)
  return context
}
