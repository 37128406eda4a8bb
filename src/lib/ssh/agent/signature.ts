import { createPublicKey, type JsonWebKey, verify } from "node:crypto"
import { Malformed, Reader } from "./bytes.ts"

/** A positive number of `mpint` without its sign byte, in so many bytes. */
const fixed = (mpint: Buffer, length?: number) => {
  const bytes = mpint[0] === 0 ? mpint.subarray(1) : mpint
  if (length === undefined) return bytes
  if (bytes.length > length) throw new Malformed()
  return Buffer.concat([Buffer.alloc(length - bytes.length), bytes])
}

const url = (bytes: Buffer) => bytes.toString("base64url")

const curves = new Map([
  ["ecdsa-sha2-nistp256", { crv: "P-256", bytes: 32, hash: "sha256" }],
  ["ecdsa-sha2-nistp384", { crv: "P-384", bytes: 48, hash: "sha384" }],
  ["ecdsa-sha2-nistp521", { crv: "P-521", bytes: 66, hash: "sha512" }]
])
const rsaHashes = new Map([["rsa-sha2-256", "sha256"], ["rsa-sha2-512", "sha512"]])

const keyOf = (jwk: JsonWebKey) => createPublicKey({ key: jwk, format: "jwk" })

/** Whether `signature` is one of `data` by a host's key. Both are as SSH has them. False for kinds of keys that OpenSSH no longer takes. */
export const isSigned = (keyBlob: Buffer, data: Buffer, signature: Buffer): boolean => {
  try {
    const key = new Reader(keyBlob)
    const type = key.text()
    const signed = new Reader(signature)
    const algorithm = signed.text()
    const bytes = signed.string()
    if (type === "ssh-ed25519" && algorithm === type) {
      return verify(null, data, keyOf({ kty: "OKP", crv: "Ed25519", x: url(key.string()) }), bytes)
    }
    const hash = rsaHashes.get(algorithm)
    if (type === "ssh-rsa" && hash !== undefined) {
      const e = fixed(key.string())
      return verify(hash, data, keyOf({ kty: "RSA", e: url(e), n: url(fixed(key.string())) }), bytes)
    }
    const curve = curves.get(type)
    if (curve === undefined || algorithm !== type) return false
    key.string()
    const point = key.string()
    if (point[0] !== 4 || point.length !== 1 + 2 * curve.bytes) return false
    const jwk = {
      kty: "EC",
      crv: curve.crv,
      x: url(point.subarray(1, 1 + curve.bytes)),
      y: url(point.subarray(1 + curve.bytes))
    }
    const both = new Reader(bytes)
    const pair = Buffer.concat([fixed(both.string(), curve.bytes), fixed(both.string(), curve.bytes)])
    return verify(curve.hash, data, { key: keyOf(jwk), dsaEncoding: "ieee-p1363" }, pair)
  } catch {
    // Hostile bytes: an impossible key, or a field after the end.
    return false
  }
}
