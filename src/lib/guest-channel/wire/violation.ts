import { escapeGuestText } from "../../../contract/text/printable.ts"

/**
 * The guest broke a rule of the protocol. Thrown only inside the receive path, which turns it into
 * `ChannelFailed` in one place: it never leaves this folder.
 */
export class Violation extends Error {
  constructor(rule: string, guestText?: Uint8Array) {
    super(guestText === undefined ? rule : `${rule}: "${escapeGuestText(guestText)}"`)
  }
}

/** A message does not fit in one frame, or cannot be encoded. Thrown by encoders; the caller gets a refusal. */
export class Unencodable extends Error {
  readonly errno: "E2BIG" | "EINVAL"
  constructor(errno: "E2BIG" | "EINVAL", detail: string) {
    super(detail)
    this.errno = errno
  }
}
