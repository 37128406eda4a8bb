import { constants, type webcrypto } from "node:crypto"
import { createSecureContext, type SecureContext } from "node:tls"
import { type Authority, AUTHORITY_NAME, type Interception } from "../../both/intercept/interception.ts"

const CURVE = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }

const DAY_MS = 86_400_000
/** Tolerance for a clock that is slow. */
const BACKDATED_MS = DAY_MS
/** More than the life of a workspace, with which its authority is removed. */
const AUTHORITY_MS = 10 * 365 * DAY_MS

/** The library of certificates. Only an interception loads the library. */
const loadX509 = async () => {
  // The library's dependency injection needs this polyfill before it.
  await import("reflect-metadata")
  return import("@peculiar/x509")
}

/** A random serial number of 16 bytes that is positive (RFC 5280, 4.1.2.2). */
const randomSerial = (): string => {
  const bytes = Buffer.from(crypto.getRandomValues(new Uint8Array(16)))
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return bytes.toString("hex")
}

/** One value of DER (X.690, 8.1). */
const der = (tag: number, content: Buffer): Buffer => {
  const size = content.length
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

const SEQUENCE = 0x30
const PERMITTED_SUBTREES = 0xa0
const DNS_NAME = 0x82
const NAME_CONSTRAINTS = "2.5.29.30"

/** Permits the DNS names of `hosts` alone (RFC 5280, 4.2.1.10), so that a stolen key has no use elsewhere. */
const nameConstraints = async (hosts: ReadonlyArray<string>) => {
  const { Extension } = await loadX509()
  const subtrees = hosts.map((host) => der(SEQUENCE, der(DNS_NAME, Buffer.from(host, "latin1"))))
  const content = der(SEQUENCE, der(PERMITTED_SUBTREES, Buffer.concat(subtrees)))
  return new Extension(NAME_CONSTRAINTS, true, content)
}

/** Makes an authority that signs certificates for servers of `hosts` and nothing else. */
export const makeAuthority = async (
  { hosts, nowMs }: { readonly hosts: ReadonlyArray<string>; readonly nowMs: number }
): Promise<Authority> => {
  const x509 = await loadX509()
  const keys = await crypto.subtle.generateKey(CURVE, true, ["sign", "verify"])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    // Unique, so that clients can distinguish several authorities.
    name: [{ CN: [`${AUTHORITY_NAME} ${randomSerial().slice(0, 8)}`] }],
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(nowMs + AUTHORITY_MS),
    signingAlgorithm: CURVE,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await nameConstraints(hosts)
    ]
  })
  return { certificate: certificate.toString("pem"), key: await privateKeyPem(keys.privateKey) }
}

const privateKeyPem = async (key: webcrypto.CryptoKey): Promise<string> => {
  const { PemConverter } = await loadX509()
  return PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")
}

const readPrivateKey = async (pem: string): Promise<webcrypto.CryptoKey> => {
  const { PemConverter } = await loadX509()
  return crypto.subtle.importKey("pkcs8", PemConverter.decode(pem)[0]!, CURVE, false, ["sign"])
}

const LEAF_MS = 30 * DAY_MS
/** A certificate in use is replaced after half of its validity. */
const RENEW_AFTER_MS = LEAF_MS / 2

/** Maximum hosts whose certificates are kept. */
const MAX_KEPT = 1_024

interface Kept {
  readonly context: Promise<SecureContext>
  readonly madeMs: number
}

const kept = new Map<string, Kept>()

/** Certificate and key of a server `host`, signed by the authority. */
const mintLeaf = async (authority: Authority, host: string, nowMs: number): Promise<Authority> => {
  const x509 = await loadX509()
  const issuer = new x509.X509Certificate(authority.certificate)
  const keys = await crypto.subtle.generateKey(CURVE, true, ["sign", "verify"])
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    // A CN has 64 characters at most, and clients read the alternative name.
    subject: [{ CN: [host.slice(0, 64)] }],
    issuer: issuer.subject,
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(nowMs + LEAF_MS),
    publicKey: keys.publicKey,
    signingKey: await readPrivateKey(authority.key),
    signingAlgorithm: CURVE,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: "dns", value: host }]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer)
    ]
  })
  return { certificate: certificate.toString("pem"), key: await privateKeyPem(keys.privateKey) }
}

const makeContext = async (authority: Authority, host: string, nowMs: number) => {
  const { certificate, key } = await mintLeaf(authority, host, nowMs)
  return createSecureContext({
    cert: `${certificate}\n${authority.certificate}`,
    key,
    minVersion: "TLSv1.2",
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION
  })
}

/** TLS context of the server `host` for guests. Concurrent calls make one certificate. */
export const serverContext = (
  { authority, nowMs }: Pick<Interception, "authority" | "nowMs">,
  host: string
): Promise<SecureContext> => {
  const key = `${host} ${authority.certificate}`
  const found = kept.get(key)
  if (found !== undefined && Math.abs(nowMs - found.madeMs) < RENEW_AFTER_MS) return found.context
  const context = makeContext(authority, host, nowMs)
  context.catch(() => kept.delete(key))
  kept.delete(key)
  kept.set(key, { context, madeMs: nowMs })
  for (const oldest of kept.keys()) {
    if (kept.size <= MAX_KEPT) break
    kept.delete(oldest)
  }
  return context
}
