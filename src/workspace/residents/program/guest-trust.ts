import { Effect, Semaphore, Stream } from "effect"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { AgentCallFailed } from "../../../lib/guest-channel/model/errors.ts"
import {
  hostAuthorities,
  hostBundle,
  isWorkspaceAuthority,
  MAX_HOST_AUTHORITIES
} from "../../../lib/network/authorities.ts"
import type { Granted } from "../policy/policy.ts"
import { guestEnvironment } from "./command.ts"
import type { GuestFile, GuestLinks } from "./guest-file.ts"
import type { Variables } from "./variables.ts"

/** Folder in which update-ca-certificates finds authorities of the machine. */
const CERTIFICATES_FOLDER = "/usr/local/share/ca-certificates"
const CERTIFICATE = `${CERTIFICATES_FOLDER}/pyro-workspace.crt`
/** The authorities that pyro added, if the guest trusts those of the host. */
const EXTRA = "/etc/ssl/pyro-extra.pem"
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
 * Adds the certificate as update-ca-certificates does, which a guest may run later. That tool reads all certificates again, which takes
 * 9 s in a guest without KVM.
 */
const INSTALL_AUTHORITY = `
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

interface Installation {
  /** Runs before the script. @default nothing */
  readonly before?: Effect.Effect<void, AgentCallFailed | ChannelFailed>
  readonly script: string
  readonly env?: Readonly<Record<string, string>>
  /** The certificates, in the log. */
  readonly authorities: string
}

/** Runs a script that installs certificates. Gives whether the guest trusts them. */
const install = (
  { spawn }: Pick<GuestChannel, "spawn">,
  { authorities, before = Effect.void, env = {}, script }: Installation
): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    yield* before
    const process = yield* spawn({
      argv: ["/bin/sh", "-c", script],
      env: guestEnvironment({ env, tty: false }),
      cwd: "/"
    })
    yield* Stream.runDrain(process.output)
    const end = yield* process.exit
    return end._tag === "exited" && end.code === 0
  }).pipe(
    Effect.scoped,
    Effect.catch((failure) => Effect.as(Effect.logWarning(failure.message), false)),
    Effect.tap((isTrusted) => isTrusted ? Effect.void : Effect.logWarning(`the guest does not trust ${authorities}`))
  )

/** Lets the guest's programs trust the workspace's authority. Gives whether the guest does. */
export const installAuthority = (channel: Pick<GuestChannel, "spawn">, certificate: string): Effect.Effect<boolean> =>
  install(channel, {
    script: INSTALL_AUTHORITY,
    env: { CERTIFICATE: certificate },
    authorities: "the workspace's certificate authority"
  })

/** The host's bundle, until the script has run. */
const WHOLE = "/etc/ssl/pyro-host-bundle.pem"

const nameOf = (at: number) => `pyro-host-${at + 1}`
const names = Array.from({ length: MAX_HOST_AUTHORITIES }, (_, at) => nameOf(at))
const fileOf = (name: string) => `${CERTIFICATES_FOLDER}/${name}.crt`

/** Files of the host's authorities in a guest. `trustFiles` has the bundle. */
export const hostTrustFiles: ReadonlyArray<GuestFile> = [...names.map(fileOf), EXTRA, WHOLE].map((path) => ({
  path,
  without: () => undefined
}))

export const hostTrustLinks: GuestLinks = {
  directory: BUNDLE.replace(/\/[^/]*$/, ""),
  targets: names.flatMap((name) => [fileOf(name), `${name}.pem`])
}

/**
 * Adds the files to every store: as update-ca-certificates does, which a guest may run later, and to the keystore of the Java that is there.
 * Debian's package of a Java that comes later takes them from the directory. Small images have no authorities at all: they get the host's.
 */
const INSTALL_HOST_AUTHORITIES = `
set -e
mkdir -p ${hostTrustLinks.directory}
cd ${hostTrustLinks.directory}
if [ -s ${BUNDLE} ]; then cp ${BUNDLE} ${BUNDLE}.host; else cp ${WHOLE} ${BUNDLE}.host; fi
rm ${WHOLE}
: > ${EXTRA}
for file in ${CERTIFICATES_FOLDER}/pyro-host-*.crt; do
  name=$(basename "$file" .crt)
  cat "$file" >> ${EXTRA}
  grep -qF "$(tail -n 2 "$file" | head -n 1)" ${BUNDLE}.host || cat "$file" >> ${BUNDLE}.host
  ln -sf "$file" "$name.pem"
  if command -v openssl > /dev/null; then ln -sf "$name.pem" "$(openssl x509 -hash -noout -in "$file").0"; fi
  if command -v keytool > /dev/null; then
    keytool -importcert -noprompt -cacerts -storepass changeit -alias "$name" -file "$file" > /dev/null 2>&1 || true
  fi
done
if [ -f ${CERTIFICATE} ]; then cat ${CERTIFICATE} >> ${EXTRA}; fi
mv ${BUNDLE}.host ${BUNDLE}`

type Channel = Pick<GuestChannel, "spawn" | "write">

const installHostAuthorities = (channel: Channel, pems: ReadonlyArray<string>) =>
  install(channel, {
    before: Effect.forEach(
      [[WHOLE, hostBundle()] as const, ...pems.map((pem, at) => [fileOf(nameOf(at)), `${pem}\n`] as const)],
      ([file, text]) =>
        channel.write(
          { root: "/", path: file.slice(1), mode: 0o644, createParents: true },
          Stream.make(Buffer.from(text))
        ),
      { discard: true }
    ),
    script: INSTALL_HOST_AUTHORITIES,
    authorities: "the certificate authorities of this host"
  })

/**
 * Lets a guest's programs trust the authorities of the host, if the policy says so. Gives variables for each command, by which programs with
 * certificates of their own find the guest's.
 */
export const makeHostTrust = (granted: () => Granted, authorities = () => hostAuthorities()) => {
  const trusting = new WeakSet<object>()
  const alone = Semaphore.makeUnsafe(1).withPermits(1)
  return (channel: Channel): Effect.Effect<Variables> =>
    alone(Effect.suspend(() => {
      if (granted().policy.trustHostCertificates !== true) return Effect.succeed<Variables>({})
      const found = trusting.has(channel) ? undefined : authorities()
      if (found?.length === 0) return Effect.succeed<Variables>({})
      const installed = found === undefined ? Effect.succeed(true) : installHostAuthorities(channel, found)
      return Effect.map(installed, (isTrusted): Variables => {
        if (!isTrusted) return {}
        trusting.add(channel)
        return { ...trustVariables, NODE_EXTRA_CA_CERTS: EXTRA }
      })
    }))
}
