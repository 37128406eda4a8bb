import { Effect, Stream } from "effect"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import { guestEnvironment } from "../guest-environment.ts"

const CERTIFICATE = "/usr/local/share/ca-certificates/pyro-workspace.crt"
const BUNDLE = "/etc/ssl/certs/ca-certificates.crt"

/** Variables by which programs with certificates of their own find the guest's. Node adds the file, and the others take the bundle. */
export const trustVariables = {
  NODE_EXTRA_CA_CERTS: CERTIFICATE,
  SSL_CERT_FILE: BUNDLE,
  CURL_CA_BUNDLE: BUNDLE,
  GIT_SSL_CAINFO: BUNDLE,
  REQUESTS_CA_BUNDLE: BUNDLE,
  PIP_CERT: BUNDLE,
  CARGO_HTTP_CAINFO: BUNDLE
} as const

/** Adds the certificate to the bundle with the distribution's own tool, or by hand where the guest has none. */
const INSTALL = `
set -e
mkdir -p ${CERTIFICATE.replace(/\/[^/]*$/, "")} ${BUNDLE.replace(/\/[^/]*$/, "")}
printf '%s\\n' "$CERTIFICATE" > ${CERTIFICATE}
if command -v update-ca-certificates > /dev/null; then
  update-ca-certificates > /dev/null
elif ! grep -qF "$(sed -n 2p ${CERTIFICATE})" ${BUNDLE} 2> /dev/null; then
  cat ${CERTIFICATE} >> ${BUNDLE}
fi`

/** Lets the guest's programs trust an authority. Gives whether the guest does. */
export const installAuthority = ({ spawn }: Pick<GuestChannel, "spawn">, certificate: string): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const process = yield* spawn({
      argv: ["/bin/sh", "-c", INSTALL],
      env: guestEnvironment({ env: { CERTIFICATE: certificate }, tty: false }),
      cwd: "/"
    })
    yield* Stream.runDrain(process.output)
    const end = yield* process.exit
    return end._tag === "exited" && end.code === 0
  }).pipe(
    Effect.scoped,
    Effect.catchAll((failure) => Effect.as(Effect.logWarning(failure.message), false)),
    Effect.tap((isTrusted) =>
      isTrusted ? Effect.void : Effect.logWarning("the guest does not trust the workspace's certificate authority")
    )
  )
