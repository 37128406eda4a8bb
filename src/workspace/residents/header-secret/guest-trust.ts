import { Effect, Stream } from "effect"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import { hostAuthorities, isWorkspaceAuthority } from "../../../network/authorities.ts"
import { guestEnvironment } from "../command.ts"
import type { GuestFile, GuestLinks } from "../guest-file.ts"

/** Where update-ca-certificates finds authorities of the machine. */
export const CERTIFICATES_FOLDER = "/usr/local/share/ca-certificates"
export const CERTIFICATE = `${CERTIFICATES_FOLDER}/pyro-workspace.crt`
/** The authorities that pyro added, where the guest trusts those of the host. */
export const EXTRA = "/etc/ssl/pyro-extra.pem"
export const BUNDLE = "/etc/ssl/certs/ca-certificates.crt"

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

/** Files with certificates of pyro's authorities. */
export const trustFiles: ReadonlyArray<GuestFile> = [
  { path: CERTIFICATE, without: () => undefined },
  {
    path: BUNDLE,
    without: (content) => {
      const ofHost = hostAuthorities()
      return content.replace(
        /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\n?/g,
        (pem) => isWorkspaceAuthority(pem) || ofHost.includes(pem.trimEnd()) ? "" : pem
      )
    }
  }
]

/** Name of the certificate in the directory of the bundle, as update-ca-certificates names it. */
const LINK = "pyro-workspace.pem"

/** Links beside the bundle: one of the certificate's name, and one of its hash for programs that search the directory. */
export const trustLinks: GuestLinks = {
  directory: "/etc/ssl/certs",
  targets: [CERTIFICATE, LINK]
}

/**
 * Adds the certificate as update-ca-certificates does, which a guest may run later. That tool reads every certificate anew, for 9 s in a guest
 * without KVM.
 */
const INSTALL = `
set -e
mkdir -p ${CERTIFICATE.replace(/\/[^/]*$/, "")} ${trustLinks.directory}
printf '%s\\n' "$CERTIFICATE" > ${CERTIFICATE}
cd ${trustLinks.directory}
if ! grep -qF "$(sed -n 2p ${CERTIFICATE})" ${BUNDLE} 2> /dev/null; then
  cat ${BUNDLE} ${CERTIFICATE} > ${BUNDLE}.new 2> /dev/null || cp ${CERTIFICATE} ${BUNDLE}.new
  mv ${BUNDLE}.new ${BUNDLE}
fi
ln -sf ${CERTIFICATE} ${LINK}
if [ -f ${EXTRA} ]; then cat ${CERTIFICATES_FOLDER}/pyro-host-*.crt ${CERTIFICATE} > ${EXTRA}; fi
if command -v openssl > /dev/null; then ln -sf ${LINK} "$(openssl x509 -hash -noout -in ${LINK}).0"; fi`

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
    Effect.catch((failure) => Effect.as(Effect.logWarning(failure.message), false)),
    Effect.tap((isTrusted) =>
      isTrusted ? Effect.void : Effect.logWarning("the guest does not trust the workspace's certificate authority")
    )
  )
