import { X509Certificate } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { rootCertificates } from "node:tls"
import { settingNow } from "../../system/settings/config.ts"
import { AUTHORITY_NAME } from "./both/intercept/interception.ts"
import { hostFile } from "./both/intercept/trust.ts"
import type { Trust } from "./model/trust.ts"

/** Files of certificate authorities that the person's environment names. */
export const trustNow = (): Trust => ({
  file: settingNow("SSL_CERT_FILE"),
  extraFile: settingNow("NODE_EXTRA_CA_CERTS")
})

/** Certificates that a guest gets at most. */
export const MAX_HOST_AUTHORITIES = 32

/** Debian's copies of the public authorities, one in each file: Node's list is of another date. */
const PUBLIC_FOLDER = "/usr/share/ca-certificates/mozilla"

const PEM = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

const textOf = (path: string) => {
  try {
    return readFileSync(path, "latin1")
  } catch {
    return ""
  }
}

const namesIn = (folder: string) => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

const read = (pem: string): X509Certificate | undefined => {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}

const print = (pem: string) => read(pem)?.fingerprint256

const publicPrints = (folder: string) =>
  new Set([...rootCertificates, ...namesIn(folder).map((name) => textOf(join(folder, name)))].map(print))

/** The certificate authorities that the host trusts beyond the public ones, as PEM. */
export const hostAuthorities = (
  { extraFile, file }: Trust = trustNow(),
  publicFolder = PUBLIC_FOLDER
): ReadonlyArray<string> => {
  const trusted = [file ?? hostFile(), extraFile].flatMap((path) =>
    path === undefined ? [] : textOf(path).match(PEM) ?? []
  )
  const known = publicPrints(publicFolder)
  const found = new Map<string, string>()
  for (const pem of trusted) {
    const certificate = read(pem)
    if (certificate?.ca === true && !known.has(certificate.fingerprint256)) found.set(certificate.fingerprint256, pem)
  }
  return [...found.values()].slice(0, MAX_HOST_AUTHORITIES)
}

/** All that the host trusts, as one text of PEM: for a guest that has no authorities of its own. */
export const hostBundle = ({ file }: Trust = trustNow()): string => {
  const path = file ?? hostFile()
  const found = path === undefined ? [] : textOf(path).match(PEM) ?? []
  return `${(found.length === 0 ? rootCertificates : found).join("\n")}\n`
}

/** Whether a certificate in PEM names the authority of a workspace. */
export const isWorkspaceAuthority = (pem: string): boolean =>
  Buffer.from(pem.replace(/-----[^-]*-----|\s/g, ""), "base64").includes(AUTHORITY_NAME)
