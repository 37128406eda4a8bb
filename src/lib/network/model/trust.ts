/** Which certificate authorities this host trusts, as files of PEM. */
export interface Trust {
  /** Replaces the host's own file, as in OpenSSL (SSL_CERT_FILE). */
  readonly file: string | undefined
  /** Added (NODE_EXTRA_CA_CERTS). */
  readonly extraFile: string | undefined
}
