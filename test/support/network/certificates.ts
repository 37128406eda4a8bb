import "reflect-metadata"
import * as x509 from "@peculiar/x509"
import { randomBytes } from "node:crypto"

const CURVE = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" }
const DAY_MS = 86_400_000

const newKeys = () => crypto.subtle.generateKey(CURVE, true, ["sign", "verify"])

/** What every certificate of a test has. A guest's clock may be behind. */
const common = () => ({
  serialNumber: `40${randomBytes(15).toString("hex")}`,
  notBefore: new Date(Date.now() - DAY_MS),
  notAfter: new Date(Date.now() + 30 * DAY_MS),
  signingAlgorithm: CURVE
})

/** A certificate and its key, as PEM. */
export interface Identity {
  readonly cert: string
  readonly key: string
}

/** A certificate authority of a test's own. */
export interface TestAuthority {
  /** PEM. */
  readonly certificate: string
  /** Signs the certificate of a server, or of a client. */
  readonly identityOf: (host: string, usage?: "serverAuth" | "clientAuth") => Promise<Identity>
}

export const makeTestAuthority = async (): Promise<TestAuthority> => {
  const keys = await newKeys()
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...common(),
    // Unique, so that clients that trust several authorities tell them apart.
    name: `CN=authority of a test ${randomBytes(4).toString("hex")}`,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)
    ]
  })
  return {
    certificate: root.toString("pem"),
    identityOf: async (host, usage = "serverAuth") => {
      const { privateKey, publicKey } = await newKeys()
      const certificate = await x509.X509CertificateGenerator.create({
        ...common(),
        subject: `CN=${host}`,
        issuer: root.subject,
        publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[usage]]),
          new x509.SubjectAlternativeNameExtension([{ type: "dns", value: host }]),
          await x509.SubjectKeyIdentifierExtension.create(publicKey),
          await x509.AuthorityKeyIdentifierExtension.create(root)
        ]
      })
      const key = x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", privateKey), "PRIVATE KEY")
      return { cert: certificate.toString("pem"), key }
    }
  }
}
