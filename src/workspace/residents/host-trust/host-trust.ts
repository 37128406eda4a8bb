import { Effect, Semaphore, Stream } from "effect"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import { hostAuthorities, MAX_HOST_AUTHORITIES } from "../../../network/authorities.ts"
import { guestEnvironment } from "../command.ts"
import type { GuestFile, GuestLinks } from "../guest-file.ts"
import { BUNDLE, CERTIFICATE, CERTIFICATES_FOLDER, EXTRA, trustVariables } from "../header-secret/guest-trust.ts"
import type { Granted } from "../network/policy.ts"
import type { Variables } from "../secret/workspace-secrets.ts"

const nameOf = (at: number) => `pyro-host-${at + 1}`
const names = Array.from({ length: MAX_HOST_AUTHORITIES }, (_, at) => nameOf(at))
const fileOf = (name: string) => `${CERTIFICATES_FOLDER}/${name}.crt`

/** Files of the host's authorities in a guest. `guest-trust.ts` has the bundle. */
export const hostTrustFiles: ReadonlyArray<GuestFile> = [...names.map(fileOf), EXTRA].map((path) => ({
  path,
  without: () => undefined
}))

export const hostTrustLinks: GuestLinks = {
  directory: BUNDLE.replace(/\/[^/]*$/, ""),
  targets: names.flatMap((name) => [fileOf(name), `${name}.pem`])
}

/**
 * Adds the files to every store: as update-ca-certificates does, which a guest may run later, and to the keystore of the Java that is there.
 * Debian's package of a Java that comes later takes them from the directory.
 */
const INSTALL = `
set -e
cd ${hostTrustLinks.directory}
cp ${BUNDLE} ${BUNDLE}.host 2> /dev/null || : > ${BUNDLE}.host
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

const install = ({ spawn, write }: Channel, authorities: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    yield* Effect.forEach(
      authorities,
      (pem, at) =>
        write(
          { root: "/", path: fileOf(nameOf(at)).slice(1), mode: 0o644, createParents: true },
          Stream.make(Buffer.from(`${pem}\n`))
        ),
      { discard: true }
    )
    const process = yield* spawn({
      argv: ["/bin/sh", "-c", INSTALL],
      env: guestEnvironment({ env: {}, tty: false }),
      cwd: "/"
    })
    yield* Stream.runDrain(process.output)
    const end = yield* process.exit
    return end._tag === "exited" && end.code === 0
  }).pipe(
    Effect.scoped,
    Effect.catch((failure) => Effect.as(Effect.logWarning(failure.message), false)),
    Effect.tap((isTrusted) =>
      isTrusted ? Effect.void : Effect.logWarning("the guest does not trust the certificate authorities of this host")
    )
  )

/**
 * Lets a guest's programs trust the authorities of the host, where the policy says so. Gives the variables of each command: programs with
 * certificates of their own find the guest's by them.
 */
export const makeHostTrust = (granted: () => Granted, authorities = () => hostAuthorities()) => {
  const trusting = new WeakSet<object>()
  const alone = Semaphore.makeUnsafe(1).withPermits(1)
  return (channel: Channel): Effect.Effect<Variables> =>
    alone(Effect.suspend(() => {
      if (granted().policy.trustHostCertificates !== true) return Effect.succeed<Variables>({})
      const found = trusting.has(channel) ? undefined : authorities()
      if (found?.length === 0) return Effect.succeed<Variables>({})
      const installed = found === undefined ? Effect.succeed(true) : install(channel, found)
      return Effect.map(installed, (isTrusted): Variables => {
        if (!isTrusted) return {}
        trusting.add(channel)
        return { ...trustVariables, NODE_EXTRA_CA_CERTS: EXTRA }
      })
    }))
}
