import { constants } from "node:crypto"
import { createSecureContext, type SecureContext } from "node:tls"
import { BACKDATED_MS, CURVE, loadX509, privateKeyPem, randomSerial, readPrivateKey } from "./authority.ts"
import type { Authority, Interception } from "./interception.ts"

const DAY_MS = 86_400_000
const VALID_MS = 30 * DAY_MS
/** A certificate in use is replaced after half of its validity. */
const RENEW_AFTER_MS = VALID_MS / 2

/** Maximum hosts whose certificates are kept. */
const MAX_KEPT = 1_024

interface Kept {
  readonly context: Promise<SecureContext>
  readonly madeMs: number
}

const kept = new Map<string, Kept>()

/** Certificate and key of a server `host`, signed by the authority. */
export const mintLeaf = async (authority: Authority, host: string, nowMs: number): Promise<Authority> => {
  const x509 = await loadX509()
  const issuer = new x509.X509Certificate(authority.certificate)
  const keys = await crypto.subtle.generateKey(CURVE, true, ["sign", "verify"])
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    // A CN has 64 characters at most, and clients read the alternative name.
    subject: [{ CN: [host.slice(0, 64)] }],
    issuer: issuer.subject,
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(nowMs + VALID_MS),
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

/** What the host shows to guests as `host`. Concurrent calls make one certificate. */
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
