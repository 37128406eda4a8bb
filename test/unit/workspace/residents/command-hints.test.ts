import { assert, describe, it } from "vitest"
import { typedTold } from "../../../../src/contract/rows/next-steps.ts"
import { policyOff } from "../../../../src/lib/network/model/policy.ts"
import { newsOf } from "../../../../src/workspace/residents/network/denials.ts"
import { fixedPolicySteps, workspaceSteps } from "../../../../src/workspace/residents/policy/steps.ts"
import { Hints, hintsOf, OutputTail } from "../../../../src/workspace/residents/program/command-hints.ts"

const tailOf = (...pieces: ReadonlyArray<string>) => {
  const tail = new OutputTail()
  for (const piece of pieces) tail.add(Buffer.from(piece))
  return tail
}
const said = (hints: Hints, text: string, status = 1) =>
  hints.after(tailOf(text), status).map((notice) => typedTold(notice))

describe("what is said beside a command's result", () => {
  it.each([
    "curl: (6) Could not resolve host: example.org",
    "ping: example.org: Temporary failure in name resolution",
    "W: Failed to fetch http://deb.debian.org/debian/  Temporary failure resolving 'deb.debian.org'",
    "socket.gaierror: [Errno -2] Name or service not known",
    "npm ERR! code EAI_AGAIN",
    "Error: getaddrinfo ENOTFOUND registry.npmjs.org",
    "connect: Network is unreachable",
    "dial tcp: lookup proxy.golang.org: no such host",
    "failed to lookup address information: try again"
  ])("a command without a network gets a hint about it: %s", (text) => {
    assert.match(said(new Hints(), text).join(), /has no network.*docs\/dependencies\.md/)
    // apt-get update leaves with 0.
    assert.lengthOf(said(new Hints(), text, 0), 1)
  })

  it("a command of a workspace reads the whole command that grants a host, and one of a run the option", () => {
    const hints = new Hints()
    hints.network = newsOf(
      { position: () => 0, since: () => [] },
      () => false,
      workspaceSteps(() => "fix", () => policyOff)
    )
    assert.match(
      said(hints, "EAI_AGAIN").join(),
      /\. Allow a host: pyro network set fix --allow-host ALLOW_HOST\. /
    )
    assert.match(
      said(new Hints(), "EAI_AGAIN").join(),
      /\. Allow a host: --allow-host\. /
    )
  })

  it.each([
    "npm error code SELF_SIGNED_CERT_IN_CHAIN",
    "Error: self-signed certificate in certificate chain",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    "curl: (60) SSL certificate problem: unable to get local issuer certificate",
    "fatal: unable to access 'https://git.test/': server certificate verification failed. CAfile: none",
    "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED]",
    "tls: failed to verify certificate: x509: certificate signed by unknown authority",
    "sun.security.validator.ValidatorException: PKIX path building failed",
    "invalid peer certificate: UnknownIssuer"
  ])("a command that did not trust a certificate gets a hint about those of the host: %s", (text) => {
    const hintsWith = (isOn: boolean, trustsHost: boolean) => {
      const hints = new Hints()
      const steps = workspaceSteps(() => "fix", () => policyOff)
      hints.network = newsOf({ position: () => 0, since: () => [] }, () => isOn, steps, () => trustsHost)
      return hints
    }
    assert.match(said(hintsWith(true, false), text).join(), /did not trust .* fix .*--trust-host-certificates/)
    assert.deepStrictEqual(said(hintsWith(true, false), text, 0), [])
    assert.deepStrictEqual(said(hintsWith(true, true), text), [])
    assert.deepStrictEqual(said(hintsWith(false, false), text), [])
  })

  it("a command that is not found gets a hint about sources of programs", () => {
    assert.match(said(new Hints(), "sh: 1: cargo: not found", 127).join(), /docs\/dependencies\.md/)
  })

  it("other failed commands get no hint", () => {
    assert.deepStrictEqual(said(new Hints(), "3 failed, 2 passed", 1), [])
    assert.deepStrictEqual(said(new Hints(), "", 0), [])
  })

  it("each hint appears once per machine", () => {
    const machine = {}
    assert.lengthOf(said(hintsOf(machine), "EAI_AGAIN"), 1)
    assert.lengthOf(said(hintsOf(machine), "EAI_AGAIN"), 0)
    assert.lengthOf(said(hintsOf(machine), "x: not found", 127), 1)
    assert.lengthOf(said(hintsOf({}), "EAI_AGAIN"), 1)
  })

  it("a failed command reads of denials and of failed connections, and a successful one of denials", () => {
    const hints = new Hints()
    hints.network = {
      steps: fixedPolicySteps,
      isOn: () => true,
      trustsHost: () => false,
      position: () => 0,
      since: () => [{ message: "denied" }],
      failedSince: () => [{ message: "failed" }]
    }
    assert.deepStrictEqual(said(hints, "", 1), ["denied", "failed"])
    assert.deepStrictEqual(said(hints, "", 0), ["denied"])
  })

  it("hints depend on the end of the output only, however it is split", () => {
    const filler = `${"x".repeat(2_999)}\n`
    assert.lengthOf(new Hints().after(tailOf(filler, filler, filler, "EAI_", "AGAIN"), 1), 1)
    assert.lengthOf(new Hints().after(tailOf("EAI_AGAIN", filler, filler, filler), 1), 0)
  })
})
